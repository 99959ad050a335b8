"""A key's backup: what is written, and what restores it."""

import itertools
import json
import re
import stat
from pathlib import Path

import pytest

from kataui.errors import DestinationProblem, KeyProblem
from kataui.images.keybackup import backup
from kataui.images.keylines import to_codes, to_lines
from kataui.images.keymaking import describe_key
from kataui.images.keyrestore import restore
from kataui.images.keysealed import Header, KeyFiles, seal
from kataui.images.keysplit import Split
from tests.images.backups import SECRET, ask, broker_cards, refuse, rsa_backup, words_of

KINDS = ["rsa", "ec", "cert", "broker", "sign"]


@pytest.fixture
def written(keys, tmp_path):
    return rsa_backup(keys, tmp_path)


@pytest.fixture
def cards(keys, tmp_path):
    return broker_cards(keys, tmp_path)


# What is written


def test_everything_is_for_the_owner_alone_and_has_its_name(written, tmp_path):
    names = {path.name for path in tmp_path.iterdir()}

    assert names == {"b", "b.html", *(f"b.share-{n}-of-5.html" for n in range(1, 6))}
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_no_file_holds_any_part_of_the_key(written, keys, tmp_path):
    secret = [
        line for line in (keys.folder / "rsa.key").read_text().splitlines() if "-" not in line
    ]

    for path in tmp_path.iterdir():
        text = path.read_text()
        assert not [line for line in secret if line[:24] in text]
        assert "PRIVATE" not in text
        assert SECRET not in text


def test_header_says_openly_which_key_it_is_for(written, keys):
    header = json.loads(written.file.read_text())["header"]

    assert header["kind"] == "key"
    assert header["algorithm"] == "RSA 3072"
    assert header["fingerprint"] == describe_key(keys.folder / "rsa.pub").fingerprint.hex
    assert header["split"] == "3/5"
    assert "rsa.key" not in written.file.read_text()


def test_pages_load_nothing_and_run_nothing(written):
    for path in (written.page, *written.cards):
        text = path.read_text()
        assert not re.search(r"<script|src=|href=|url\(|@import|https?:", text)
        assert "<svg" in text
        assert written.info.fingerprint.words in text


def test_names_are_escaped_on_the_page(keys, tmp_path):
    made = backup(keys.folder / "ec.key", tmp_path / "<b>&.bak", split=Split(2, 2))

    assert "<b>&.bak" not in made.page.read_text()
    assert "&lt;b&gt;&amp;.bak" in made.cards[0].read_text()


def test_shares_of_a_broker_key_are_all_there_is(cards, tmp_path):
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in cards}
    assert {len(words_of(card).split()) for card in cards} == {33}


@pytest.mark.parametrize("taken", ["b", "b.html", "b.share-3-of-3.html"])
def test_nothing_is_overwritten_and_nothing_half_done_is_left(keys, tmp_path, taken):
    (tmp_path / taken).write_text("mine")

    with pytest.raises(DestinationProblem, match="exists already"):
        backup(keys.folder / "ec.key", tmp_path / "b", split=Split(2, 3))

    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_text() == "mine"


@pytest.mark.parametrize("passphrase", [None, ""])
def test_a_backup_that_nothing_would_open_is_refused(keys, tmp_path, passphrase):
    with pytest.raises(KeyProblem, match="needs a passphrase"):
        backup(keys.folder / "ec.key", tmp_path / "b", passphrase=passphrase)

    assert not list(tmp_path.iterdir())


def test_a_public_key_needs_no_backup(keys, tmp_path):
    for name in ("rsa.pub", "cert.crt"):
        with pytest.raises(KeyProblem, match="needs no backup"):
            backup(keys.folder / name, tmp_path / "b", passphrase=SECRET)


# Restoring


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["file", "page"])
def test_every_kind_of_key_comes_back_byte_for_byte(keys, tmp_path, kind, source):
    key = keys.folder / f"{kind}.key"
    made = backup(key, tmp_path / "b", passphrase=SECRET)

    done = restore([getattr(made, source)], tmp_path / "r.key", ask)

    assert (tmp_path / "r.key").read_bytes() == key.read_bytes()
    assert stat.S_IMODE((tmp_path / "r.key").stat().st_mode) == 0o600
    assert done.name == f"{kind}.key"
    assert done.info.fingerprint == describe_key(key).fingerprint
    halves = {"cert": "r.crt", "broker": None}
    half = halves.get(kind, "r.pub")
    assert (done.public.name if done.public else None) == half
    if half:
        assert (tmp_path / half).read_bytes() == key.with_suffix(Path(half).suffix).read_bytes()


def test_typed_lines_and_scanned_codes_restore_it_in_any_order(written, keys, tmp_path):
    lines = to_lines(written.file.read_bytes())
    typed, scanned, rest = (tmp_path / name for name in ("typed", "scanned", "rest"))
    typed.write_text("\n".join(reversed(lines)).lower().replace("o", "0"))
    codes = to_codes(lines)
    scanned.write_text("\n".join(codes[1:]))
    rest.write_text(codes[0])

    for number, sources in enumerate([[typed], [scanned, rest]]):
        restore(sources, tmp_path / f"r{number}.key", ask)
        assert (tmp_path / f"r{number}.key").read_bytes() == Path(keys.private).read_bytes()


def test_codes_fit_a_qr_code_that_a_phone_reads(written):
    for code in to_codes(to_lines(written.file.read_bytes())):
        assert len(code) <= 1800
        assert re.fullmatch(r"[0-9A-Z $%*+\-./:]+", code)


@pytest.mark.parametrize("three", list(itertools.combinations(range(5), 3))[::3])
def test_any_three_of_five_cards_restore_it_with_the_file(written, keys, tmp_path, three):
    cards = [written.cards[number] for number in three]

    restore([*cards, written.page], tmp_path / "r.key", refuse)

    assert (tmp_path / "r.key").read_bytes() == Path(keys.private).read_bytes()


def test_words_typed_by_hand_restore_a_broker_key(cards, keys, tmp_path):
    numbered = " ".join(f"{n}. {w}" for n, w in enumerate(words_of(cards[0]).split(), 1))
    cut = numbered.index(" 10.")
    (tmp_path / "one").write_text(f"# of Anna\n{numbered[:cut]}\n{numbered[cut:]}\n")
    (tmp_path / "two").write_text(words_of(cards[2]).upper())

    restore([tmp_path / "one", tmp_path / "two"], tmp_path / "r.key", refuse)

    assert (tmp_path / "r.key").read_bytes() == (keys.folder / "broker.key").read_bytes()


def test_several_shares_may_stand_in_one_file(cards, keys, tmp_path):
    (tmp_path / "both").write_text("\n".join(map(words_of, cards[:2])))

    restore([tmp_path / "both"], tmp_path / "r.key", refuse)

    assert (tmp_path / "r.key").read_bytes() == (keys.folder / "broker.key").read_bytes()


def test_a_file_that_is_there_is_not_overwritten(written, tmp_path):
    (tmp_path / "r.key").write_text("mine")

    with pytest.raises(DestinationProblem, match="exists already"):
        restore([written.file], tmp_path / "r.key", refuse)

    assert (tmp_path / "r.key").read_text() == "mine"


def test_a_public_half_that_is_there_stays(written, tmp_path):
    (tmp_path / "r.pub").write_text("mine")

    restore([written.file], tmp_path / "r.key", ask)

    assert (tmp_path / "r.pub").read_text() == "mine"


def test_the_name_in_a_backup_never_says_where_to_write(tmp_path):
    header = Header("00" * 4, "kbs", "32 bytes", "", "2026-01-01T00:00:00+00:00")
    raw = seal(KeyFiles("../../evil", bytes(range(32))), header, bytes(32), SECRET)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b").write_bytes(raw)

    restore([tmp_path / "in" / "b"], tmp_path / "in" / "r.key", ask)

    assert {path.name for path in tmp_path.rglob("*")} == {"in", "b", "r.key"}
