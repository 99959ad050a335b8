"""What does not restore a key: each has its own sentence, and nothing is written."""

import json
import zlib
from pathlib import Path

import pytest

from kataui.errors import KatauiError, KeyProblem
from kataui.images.keybackup import backup
from kataui.images.keylines import from_lines, to_lines
from kataui.images.keymaking import describe_key, new_key
from kataui.images.keyrestore import read_sources, restore
from kataui.images.keysealed import Header, KeyFiles, open_with_key, parse_sealed, seal
from kataui.images.keysplit import Split
from tests.images.backups import SECRET, ask, broker_cards, refuse, rsa_backup, words_of


@pytest.fixture
def written(keys, tmp_path):
    return rsa_backup(keys, tmp_path)


@pytest.fixture
def cards(keys, tmp_path):
    return broker_cards(keys, tmp_path)


def fails(sources, out: Path, answer=ask) -> str:
    before = set(out.parent.iterdir())
    with pytest.raises(KatauiError) as caught:
        restore(sources, out, answer)
    assert set(out.parent.iterdir()) == before
    return f"{caught.value.message} {caught.value.hint}"


def test_a_wrong_passphrase_is_told(written, tmp_path):
    assert "does not open" in fails([written.file], tmp_path / "r", lambda _: "wrong")
    assert "needs its passphrase" in fails([written.file], tmp_path / "r", lambda _: None)


@pytest.mark.parametrize("part", ["sealed", "header", "passphrase", "version", "format", "scrypt"])
def test_changed_files_are_told(written, tmp_path, part):
    value = json.loads(written.file.read_text())
    match part:
        case "sealed":
            value["sealed"] = ("B" if value["sealed"][0] == "A" else "A") + value["sealed"][1:]
        case "header":
            value["header"]["made"] = "2020-01-01T00:00:00+00:00"
        case "passphrase":
            value["passphrase"]["salt"] = "AAAAAAAAAAAAAAAAAAAAAA=="
        case "scrypt":
            value["passphrase"]["scrypt"]["n"] = 1 << 30
        case _:
            value[part] = "x"
    changed = tmp_path / "changed"
    changed.write_text(json.dumps(value))
    expected = {
        "sealed": "bytes are not those that were written",
        "scrypt": "is missing or changed",
        "version": "newer kataui",
        "format": "is no backup of a key",
    }

    assert expected.get(part, "does not open the backup") in fails([changed], tmp_path / "r")


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b'{"format": "kataui-key-backup", "version": 1}',
        b'{"format": "kataui-key-backup", "version": 1, "header": 7, "sealed": ""}',
        b'{"format": "kataui-key-backup", "version": 1, "header": {}, "sealed": ""}',
        b'{"format": "kataui-key-backup", "version": 1, "header": {"id": []}, "sealed": []}',
        b"",
        b"\xff\xfe\x00",
        b"1: AAAAA / BBBB",
        b'<html><pre class="kataui"></pre>',
        "größe".encode(),
    ],
)
def test_files_that_are_no_backup_are_refused(tmp_path, data):
    (tmp_path / "x").write_bytes(data)

    with pytest.raises(KeyProblem):
        restore([tmp_path / "x"], tmp_path / "r", ask)


def test_a_cut_off_file_is_told(written, tmp_path):
    raw = written.file.read_bytes()
    for size in (1, 40, len(raw) // 2, len(raw) - 3):
        (tmp_path / "cut").write_bytes(raw[:size])
        assert "damaged" in fails([tmp_path / "cut"], tmp_path / "r")


def test_too_few_shares_are_counted(written, tmp_path):
    one, two = written.cards[:2]

    told = fails([one, two, two, written.file], tmp_path / "r", refuse)

    assert told.startswith("2 of the 3 shares that are needed are here.")


def test_shares_without_their_file_say_which_is_missing(written, tmp_path):
    told = fails(written.cards, tmp_path / "r", refuse)

    assert told.startswith(f"The shares open the backup file {written.header.id}")


def test_shares_of_another_split_are_named(cards, keys, tmp_path):
    other = backup(keys.folder / "broker.key", tmp_path / "again", split=Split(2, 3)).cards
    mixed = [cards[0], cards[1], other[2]]

    told = fails(mixed, tmp_path / "r", refuse)

    assert told.startswith("The share again.share-3-of-3.html belongs to another split")


def test_a_card_of_another_key_is_told(cards, keys, tmp_path):
    new_key("kbs", tmp_path / "second")
    other = backup(tmp_path / "second.key", tmp_path / "o", split=Split(2, 3)).cards

    told = fails([cards[0], other[1]], tmp_path / "r", refuse)

    assert told.startswith("o.share-2-of-3.html belongs to another key")


def test_shares_of_another_backup_of_the_same_key_are_told(written, keys, tmp_path):
    again = backup(Path(keys.private), tmp_path / "again", split=Split(2, 2))

    told = fails([*again.cards, written.file], tmp_path / "r", refuse)

    assert told.startswith(f"The shares are for the backup {again.header.id}, not for")


def test_a_broker_keys_shares_do_not_open_another_backup(written, cards, tmp_path):
    for number, card in enumerate(cards):
        (tmp_path / f"w{number}").write_text(words_of(card))  # no card: it names no key

    told = fails([tmp_path / "w0", tmp_path / "w1", written.file], tmp_path / "r", refuse)

    assert told.startswith("The shares hold a key of their own")


def test_only_shares_open_a_backup_without_a_passphrase(keys, tmp_path):
    made = backup(keys.folder / "ec.key", tmp_path / "b", split=Split(2, 3))

    assert fails([made.file], tmp_path / "r", refuse).startswith("Only shares open this backup")
    restore([made.file, *made.cards[1:]], tmp_path / "r.key", refuse)


def test_two_backups_at_once_are_refused(written, keys, tmp_path):
    other = backup(keys.folder / "ec.key", tmp_path / "other", split=Split(2, 2))

    told = fails([written.file, other.file], tmp_path / "r", refuse)

    assert told.startswith("These are two different backups.")


def test_a_word_that_is_on_no_list_is_named_with_what_it_may_be(cards, tmp_path):
    words = words_of(cards[0]).split()
    words[2] = "academik"
    (tmp_path / "w").write_text(" ".join(words))

    told = fails([tmp_path / "w", cards[1]], tmp_path / "r", refuse)

    assert told == "Word 3 of w, 'academik', is on no share. Perhaps it is 'academic'."


@pytest.mark.parametrize("damage", ["another word", "one missing", "two swapped"])
def test_words_that_do_not_fit_are_told(cards, tmp_path, damage):
    words = words_of(cards[0]).split()
    match damage:
        case "another word":
            words[9] = "academic" if words[9] != "academic" else "acid"
        case "one missing":
            del words[9]
        case _:
            place = next(n for n in range(9, 30) if words[n] != words[n + 1])
            words[place], words[place + 1] = words[place + 1], words[place]
    (tmp_path / "w").write_text(" ".join(words))

    told = fails([tmp_path / "w", cards[1]], tmp_path / "r", refuse)

    assert told.startswith("The words of w do not fit together")


def test_a_mistyped_or_missing_line_is_named(written, tmp_path):
    lines = to_lines(written.file.read_bytes())
    seventh = lines[6]
    wrong = seventh[:3] + ("B" if seventh[3] != "B" else "C") + seventh[4:]
    typed = tmp_path / "typed"
    for changed, expected in (
        ([*lines[:6], wrong, *lines[7:]], "Line 7 of the backup is mistyped."),
        ([*lines[:6], *lines[7:]], "Line 7 of the backup is missing."),
        (lines[:-1], f"there are more after line {len(lines) - 1}."),
        (
            [*lines[:6], seventh.replace("7:", "8:"), *lines[7:]],
            "Line 8 of the backup is mistyped.",
        ),
    ):
        typed.write_text("\n".join(changed))
        assert expected in fails([typed], tmp_path / "r", refuse)


def test_lines_that_unpack_to_very_much_are_not_unpacked():
    bomb = to_lines(bytes(3 << 20))

    with pytest.raises(KeyProblem, match="end too early"):
        from_lines("\n".join(bomb))


def test_content_that_unpacks_to_very_much_is_not_unpacked(monkeypatch):
    header = Header("00" * 4, "kbs", "", "", "")
    monkeypatch.setattr(zlib, "compress", lambda data, *_: _bomb(data))
    raw = seal(KeyFiles("n", b"x"), header, bytes(32), None)

    with pytest.raises(KeyProblem, match="holds no key"):
        open_with_key(parse_sealed(raw, "b"), bytes(32))


def _bomb(_: bytes) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()


def test_another_key_than_the_header_says_is_never_written(keys, tmp_path):
    mark = describe_key(keys.folder / "ec.pub").fingerprint.hex
    header = Header("00" * 4, "key", "EC P-256", mark, "2026-01-01T00:00:00+00:00")
    raw = seal(KeyFiles("ec.key", Path(keys.private).read_bytes()), header, bytes(32), SECRET)
    (tmp_path / "b").write_bytes(raw)

    assert "another key than it says" in fails([tmp_path / "b"], tmp_path / "r.key")


def test_secrets_are_not_in_any_repr(written, keys):
    sources = read_sources([written.file, *written.cards])
    texts = [repr(sources), repr(written), repr(KeyFiles("n", b"topsecret"))]

    assert not [
        text for text in texts if "topsecret" in text or words_of(written.cards[0])[:20] in text
    ]
