"""Files: nothing is lost, leaked or half done."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui import files
from kataui.errors import DestinationProblem, KatauiError


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _parse(text: str) -> object:
    return files.parse_json(text.encode(), what="test")


def test_a_new_file_has_its_mode_and_bytes(tmp_path: Path) -> None:
    files.write_new(tmp_path / "key", b"secret", mode=0o600)

    assert (tmp_path / "key").read_bytes() == b"secret"
    assert _mode(tmp_path / "key") == 0o600
    assert files.is_private(tmp_path / "key")


def test_a_file_that_others_may_read_is_not_private(tmp_path: Path) -> None:
    files.write_new(tmp_path / "public", b"", mode=0o644)

    assert not files.is_private(tmp_path / "public")


def test_a_new_file_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"old")

    with pytest.raises(DestinationProblem, match="exists already and is not overwritten"):
        files.write_new(tmp_path / "key", b"new")

    assert (tmp_path / "key").read_bytes() == b"old"


def test_a_new_file_does_not_follow_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(DestinationProblem):
        files.write_new(tmp_path / "link", b"new")

    assert not (tmp_path / "elsewhere").exists()


def test_a_new_file_in_no_folder_is_a_destination_problem(tmp_path: Path) -> None:
    with pytest.raises(DestinationProblem, match=r"Cannot write .*: No such file or directory\."):
        files.write_new(tmp_path / "none" / "file", b"")


def test_a_full_disk_is_a_destination_problem_and_leaves_nothing(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys; from pathlib import Path; from kataui import files\n"
        "from kataui.errors import DestinationProblem\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: files.write_new(Path(sys.argv[1]), bytes(5000))\n"
        "except DestinationProblem: sys.exit(9)\n"
    )

    done = subprocess.run([sys.executable, "-c", script, tmp_path / "big"], check=False)

    assert done.returncode == 9
    assert list(tmp_path.iterdir()) == []


def test_replacing_gives_the_new_bytes_and_leaves_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_bytes(b"old")

    files.replace_file(tmp_path / "index.json", b"new", mode=0o600)

    assert (tmp_path / "index.json").read_bytes() == b"new"
    assert _mode(tmp_path / "index.json") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["index.json"]


def test_a_failed_replacement_keeps_the_old(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "old").touch()  # a folder that is not empty cannot be replaced by a file

    with pytest.raises(DestinationProblem):
        files.replace_file(target, b"new")

    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert (target / "old").exists()


def test_staging_is_private_and_removes_itself(tmp_path: Path) -> None:
    with files.staging(tmp_path / "new" / "image") as folder:
        (folder / "blob").write_bytes(b"x")

        assert folder.parent == tmp_path / "new"
        assert _mode(folder) == 0o700

    assert list((tmp_path / "new").iterdir()) == []


def test_staging_removes_itself_on_failure(tmp_path: Path) -> None:
    def fail() -> None:
        with files.staging(tmp_path / "image") as folder:
            (folder / "blob").write_bytes(b"x")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()

    assert list(tmp_path.iterdir()) == []


def test_what_was_renamed_out_of_staging_stays(tmp_path: Path) -> None:
    with files.staging(tmp_path / "image") as folder:
        (folder / "out").mkdir()
        (folder / "out").rename(tmp_path / "image")

    assert [path.name for path in tmp_path.iterdir()] == ["image"]


def test_what_a_killed_run_has_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".im[a]ge.kataui-0badcafe"
    (left / "sub").mkdir(parents=True)
    other = tmp_path / ".other.kataui-0badcafe"
    other.mkdir()

    with files.staging(tmp_path / "im[a]ge"):
        assert not left.exists()

    assert other.exists()


def test_the_folder_of_one_at_work_is_kept(tmp_path: Path) -> None:
    with files.staging(tmp_path / "image") as first, files.staging(tmp_path / "image") as second:
        assert first != second
        assert first.is_dir()


def test_a_link_that_looks_abandoned_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (tmp_path / ".image.kataui-1").symlink_to(precious)

    with files.staging(tmp_path / "image"):
        pass

    assert (precious / "file").exists()


def test_staging_where_nothing_can_be_written_is_a_destination_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        pytest.raises(DestinationProblem, match="Cannot write beside"),
        files.staging(tmp_path / "file" / "image"),
    ):
        pass


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '[{"x":{"a":1,"a":1}}]',
        "[NaN]",
        "[Infinity]",
        "[-Infinity]",
        "",
        "{",
        "[1] 2",
        "\ufeff[]",
        "[" * 200_000,
        '{"a":' * 200_000,
        "1" * 5000,
        "1e999",
        "[-1e999]",
    ],
    ids=lambda text: text[:12],
)
def test_json_that_two_readers_may_read_differently_is_refused(text: str) -> None:
    with pytest.raises(KatauiError, match=r"^The test is not valid JSON"):
        _parse(text)


def test_json_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(KatauiError, match="not valid JSON"):
        files.parse_json(b'"\xff"', what="test")


def test_huge_json_is_refused_unread() -> None:
    with pytest.raises(KatauiError, match="too big"):
        files.parse_json(b" " * (files.MAX_JSON_BYTES + 1), what="test")


@pytest.mark.parametrize("text", ["[]", "null", '"text"', "1"])
def test_an_object_is_insisted_on(text: str) -> None:
    with pytest.raises(KatauiError, match=r"^The test is not a JSON object\.$"):
        files.parse_json_object(text.encode(), what="test")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=50, deadline=None)
@given(_VALUES)
def test_compact_json_reads_back_as_it_was(value: object) -> None:
    data = files.compact_json(value)

    assert files.parse_json(data, what="test") == value
    assert len(data) <= len(json.dumps(value, ensure_ascii=False).encode())


def test_reading_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(11))

    assert files.read_bounded(tmp_path / "file", limit_bytes=11, what="a file") == bytes(11)
    with pytest.raises(KatauiError, match="too big to be a file"):
        files.read_bounded(tmp_path / "file", limit_bytes=10, what="a file")


def test_reading_what_is_missing_says_what_it_was(tmp_path: Path) -> None:
    with pytest.raises(KatauiError, match=r"^Cannot read a key .*: No such file or directory\.$"):
        files.read_bounded(tmp_path / "none", limit_bytes=10, what="a key")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=400))
def test_cleaned_text_is_one_bounded_line_without_control_characters(text: str) -> None:
    shown = files.clean(text)

    assert len(shown) <= 300
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)


def test_characters_that_reorder_text_are_shown_as_replaced() -> None:
    assert files.clean("a\u202eb\ud800c") == "a\ufffdb\ufffdc"


def test_long_text_is_cut_with_a_mark() -> None:
    assert files.clean("x" * 301) == "x" * 299 + "…"
    assert files.clean("x" * 300) == "x" * 300


def test_room_is_looked_for_at_the_nearest_folder_that_exists(tmp_path: Path) -> None:
    here = files.free_bytes(tmp_path)

    assert here > 0
    files.require_free(tmp_path / "a" / "b", 1)


def test_too_little_room_is_said_before_writing(tmp_path: Path) -> None:
    usage = os.statvfs(tmp_path)
    more_than_all = usage.f_blocks * usage.f_frsize + 1

    with pytest.raises(DestinationProblem, match=r"Not enough room at .*: .* needed, .* free\."):
        files.require_free(tmp_path / "image", more_than_all)


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (61_234_567, "61.2 MB"),
        (234_567_890, "235 MB"),
        (999_999_999, "1.0 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes_are_decimal(size_bytes: int, text: str) -> None:
    assert files.size_text(size_bytes) == text


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (r'["\ud83d\ude00"]', True),
        (r'["\\ud800"]', True),
        (r'["é"]', True),
        (r'["\ud800"]', False),
        (r'["\udc00"]', False),
        (r'["\ud800\ud800"]', False),
        (r'["\ud83dx\ude00"]', False),
    ],
)
def test_half_a_character_is_refused_in_json(text: str, *, good: bool) -> None:
    if good:
        files.compact_json(files.parse_json(text.encode(), what="x"))
    else:
        with pytest.raises(KatauiError, match="surrogates not allowed"):
            files.parse_json(text.encode(), what="x")
