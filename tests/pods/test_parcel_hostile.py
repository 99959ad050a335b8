"""Parcels that were made to do harm: nothing is written outside, and nothing at the destination."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.errors import KatauiError
from kataui.pods import parcellist
from kataui.pods.parcellist import is_inside, is_parcel, parse_list
from tests.pods.parcels import packed, relisted, unpacked

EMPTY = hashlib.sha256().hexdigest()


@pytest.fixture
def parcel(tmp_path: Path) -> Path:
    """One file with two contents."""
    folder = tmp_path / "in" / "folder"
    folder.mkdir(parents=True)
    (folder / "a").write_bytes(b"a" * 10_000)
    (folder / "b").write_bytes(b"b")
    return packed(folder, tmp_path / "x").parts[0]


def _refused(parcel: Path, words: str) -> None:
    out = parcel.parent / "deep" / "out"
    before = sorted(parcel.parent.rglob("*"))
    with pytest.raises(KatauiError, match=words):
        unpacked([parcel], out)
    left = [path for path in parcel.parent.rglob("*") if path not in before and path.is_file()]
    assert {path.parent.name for path in left} <= {".out.arriving"}
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in left)
    assert not out.exists()


@pytest.mark.parametrize(
    "path",
    [
        *("../b", "/etc/b", "b/../../c", "./b", "b//c", "", ".", "b/", "b\\c", "b\x00", "b\nc"),
        *("b\u202ec", "b" * 256, "d/" * 600 + "b", "arrival.json", "parcel.json"),
    ],
)
def test_paths_stay_inside(parcel: Path, path: str) -> None:
    def change(value: dict) -> None:
        value["files"][1]["path"] = path

    relisted(parcel, change)
    _refused(parcel, "leads elsewhere")


@pytest.mark.parametrize("paths", [("a", "a"), ("b", "a"), ("a", "a/b"), ("a/b", "a/b/c")])
def test_no_path_occurs_twice_or_in_a_file(parcel: Path, paths: tuple[str, str]) -> None:
    def change(value: dict) -> None:
        for entry, path in zip(value["files"], paths, strict=True):
            entry["path"] = path

    relisted(parcel, change)
    _refused(parcel, "not sorted|inside a file")


@pytest.mark.parametrize(
    ("name", "size"), [("size", -1), ("size", 1 << 60), ("size", 2), ("size", True), ("size", "1")]
)
def test_sizes_that_lie_are_refused(parcel: Path, name: str, size: object) -> None:
    relisted(parcel, lambda value: value["files"][1].update({name: size}))
    _refused(parcel, "no believable size|Copy the parcel again")


def test_a_size_that_asks_for_more_pieces_than_there_are_is_refused(parcel: Path) -> None:
    relisted(parcel, lambda value: value["files"][1].update(size=1 << 40))
    _refused(parcel, "its pieces are not those")


@pytest.mark.parametrize("mode", ["4755", "0777", 420, None, "644"])
def test_modes_that_are_no_plain_files_are_refused(parcel: Path, mode: object) -> None:
    relisted(parcel, lambda value: value["files"][0].update(mode=mode))
    _refused(parcel, "size or mode")


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(parts=[]),
        lambda value: value.update(parts=[1, 0, 1]),
        lambda value: value.update(parts=[-1, 3]),
        lambda value: value.update(parts=[1 << 80]),
        lambda value: value.update(parts=["2"]),
        lambda value: value.update(pieces=value["pieces"] * 2),
        lambda value: value.update(pieces=["0" * 64, "1" * 64]),
        lambda value: value.update(piece_bytes=1),
        lambda value: value.update(piece_bytes=1 << 40),
        lambda value: value.update(piece_bytes=None),
        lambda value: value.update(left_out=["0" * 64]),
        lambda value: value.update(files=[]),
        lambda value: value.update(files={"a": 1}),
        lambda value: value.update(files=[1]),
        lambda value: value["files"][1].update(sha256=value["files"][0]["sha256"]),
        lambda value: value["files"][1].update(sha256=EMPTY),
        lambda value: value["files"][1].update(sha256="../../x"),
        lambda value: value.update(version=2),
        lambda value: value.update(format="other"),
    ],
)
def test_a_list_that_does_not_hold_together_is_refused(parcel: Path, change) -> None:
    relisted(parcel, change)
    _refused(parcel, "The list of the parcel|of version")


def test_left_out_is_never_written_from_the_parcel(parcel: Path) -> None:
    relisted(
        parcel,
        lambda value: value.update(
            left_out=[value["files"][0]["sha256"]], pieces=value["pieces"][1:], parts=[1]
        ),
    )
    with pytest.raises(KatauiError):  # what lies at the first place is another piece
        unpacked([parcel], parcel.parent / "deep" / "out")
    assert not (parcel.parent / "deep" / "out").exists()


def test_a_content_of_many_pieces_is_hashed_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a").write_bytes(bytes(range(256)) * 40)
    made = packed(folder, tmp_path / "x", part_bytes=4096 * 16)
    path = made.parts[0].rename(tmp_path / "x.kataui-parcel")
    relisted(path, lambda value: value["files"][0].update(sha256="1" * 64))
    with pytest.raises(KatauiError, match="contradicts itself"):
        unpacked([path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, b"x"])
def test_other_members_are_never_looked_at(parcel: Path, kind: bytes) -> None:
    data = parcel.read_bytes()
    with parcel.open("rb") as stream:
        end = parcellist.read_head(stream, "x").end_bytes
    info = tarfile.TarInfo(parcellist.piece_name(0))
    info.type, info.linkname = kind, "/etc/passwd"
    parcel.write_bytes(data[:end] + info.tobuf(tarfile.USTAR_FORMAT) + data[end:])
    _refused(parcel, "is damaged or cut short")


@pytest.mark.parametrize(
    "number", ["00000009", "1", "-0000001", "\uff100000001", "00000001/../../x"]
)
def test_pieces_that_nobody_listed_are_not_taken(parcel: Path, number: str) -> None:
    with parcel.open("rb") as stream:
        head = parcel.read_bytes()[: parcellist.read_head(stream, "x").end_bytes]
    info = tarfile.TarInfo(f"pieces/{number}")
    info.size = 1
    block = info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape")
    parcel.write_bytes(head + block + b"b".ljust(512, b"\0"))
    _refused(parcel, "Copy the parcel again")


@pytest.mark.parametrize(
    "data", [b"", b"x", bytes(512), bytes(4096), b"\x1f\x8b" + bytes(600), b"{}" * 400]
)
def test_what_is_no_parcel_is_told(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.kataui-parcel"
    path.write_bytes(data)
    assert not is_parcel(str(path))
    _refused(path, "is no parcel")


@pytest.mark.parametrize("size", [1 << 30, (1 << 33) - 1])
def test_a_list_that_says_it_is_huge_is_not_read(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.kataui-parcel"
    path.write_bytes(parcellist.header("parcel.json", size) + bytes(1024))
    assert is_parcel(str(path))  # it begins like one
    _refused(path, "damaged or cut short")


@pytest.mark.parametrize("text", ["{", "[]", "1", '{"format": "kataui-parcel"}', '{"a":1,"a":2}'])
def test_a_list_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.kataui-parcel"
    path.write_bytes(parcellist.member("parcel.json", text.encode()) + parcellist.END)
    _refused(path, "list of the parcel|of version")


def test_what_is_kept_is_not_written_through_a_link(parcel: Path) -> None:
    out, goal = parcel.parent / "out", parcel.parent / "goal"
    state = parcel.parent / ".out.arriving"
    state.mkdir()
    value = json.loads(parcel.read_bytes()[512:].partition(b"\0")[0])
    goal.write_bytes(b"mine")
    (state / value["files"][0]["sha256"]).symlink_to(goal)
    with pytest.raises(KatauiError, match="stopped"):
        unpacked([parcel], out)
    assert goal.read_bytes() == b"mine"
    assert not out.exists()


def test_a_folder_and_what_is_not_there_are_sentences(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent", Path("/dev/null")):
        with pytest.raises(KatauiError):
            unpacked([path], tmp_path / "out")
        assert not is_parcel(str(path))
    assert not is_parcel("a\0b")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_a_path_that_is_let_through_stays_inside(path: str) -> None:
    if is_inside(path):
        place = Path("/base/out") / path
        assert place.is_relative_to("/base/out")
        assert ".." not in place.parts
        assert place != Path("/base/out")


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["files", "parts", "pieces", "path", "size"]), inner)
        ),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_told(value: object) -> None:
    head = {"format": "kataui-parcel", "version": 1}
    whole = {**head, **value} if isinstance(value, dict) else value
    with pytest.raises(KatauiError):
        parse_list(json.dumps(whole).encode())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=1200))
def test_any_bytes_are_no_parcel_or_told(data: bytes) -> None:
    with pytest.raises(KatauiError):
        parse_list(parcellist.read_head(io.BytesIO(data), "x").data)
