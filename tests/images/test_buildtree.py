"""Layers made of folders and files."""

import io
import os
import socket
import stat
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.errors import (
    ImageError,
)
from kataui.images.build import Addition
from kataui.images.buildtree import _Exactly, parse_owner
from tests.images.building import OLD_S, made, make_rootfs, members, plain_layers


@pytest.fixture(autouse=True)
def _no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    return make_rootfs(tmp_path / "rootfs")


def test_tree_keeps_modes_links_times_and_pipes(tmp_path: Path, rootfs: Path) -> None:
    built = made(tmp_path, rootfs=str(rootfs))

    found = members(plain_layers(built.path)[0])
    assert list(found) == sorted(found)
    assert found["bin/same"].isreg()
    assert found["bin/same"].mode == 0o4755
    assert (found["bin/tool"].islnk(), found["bin/tool"].linkname) == (True, "bin/same")
    assert (found["sh"].issym(), found["sh"].linkname) == (True, "bin/tool")
    assert found["outside"].linkname == "/etc/passwd"
    assert found["var"].mode == 0o700
    assert found["var/pipe"].isfifo()
    assert found["var/data"].mtime == pytest.approx(OLD_S + 0.12345678, abs=1e-7)
    assert found["var/data"].uid == (rootfs / "var" / "data").stat().st_uid
    assert {(member.uname, member.gname) for member in found.values()} == {("", "")}
    assert found["."].mode == stat.S_IMODE(rootfs.stat().st_mode)
    assert built.left_out == built.findings == ()


@pytest.mark.parametrize(
    ("source", "target", "names"),
    [
        ("var/data", "/opt/", ["opt/data"]),
        ("var/data", "/", ["data"]),
        ("var/data", "/opt/new", ["opt/new"]),
        ("bin", "/", ["same", "tool"]),
        ("bin", "/opt/", ["opt", "opt/same", "opt/tool"]),
    ],
)
def test_addition_goes_where_its_target_says(
    tmp_path: Path, rootfs: Path, source: str, target: str, names: list[str]
) -> None:
    built = made(tmp_path, add=(Addition(str(rootfs / source), target),))

    assert list(members(plain_layers(built.path)[0])) == names


def test_owner_is_set_and_link_at_the_top_is_followed(tmp_path: Path, rootfs: Path) -> None:
    (tmp_path / "link").symlink_to(rootfs / "bin")

    built = made(tmp_path, add=(Addition(str(tmp_path / "link"), "/b", "10001:20"),))

    found = members(plain_layers(built.path)[0])
    assert found["b"].isdir()
    assert {(member.uid, member.gid) for member in found.values()} == {(10001, 20)}


@pytest.mark.parametrize("text", ["root", "1:", ":1", "-1", "1:2:3", "4294967295", "٣", "9" * 5000])
def test_owner_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ImageError, match="owner"):
        parse_owner(text)


def test_sockets_and_whiteout_names_are_left_out_and_told(tmp_path: Path, rootfs: Path) -> None:
    (rootfs / ".wh.folder").mkdir()
    (rootfs / ".wh.folder" / "file").write_bytes(b"")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(rootfs / "s"))
        built = made(tmp_path, rootfs=str(rootfs))

    names = members(plain_layers(built.path)[0])
    assert not any(name.startswith(".wh.") or name == "s" for name in names)
    assert [Path(name).name for name in built.left_out] == [".wh.folder", "file", "s"]
    assert [finding.id for finding in built.findings] == ["IMG-BUILD-LEFT-OUT"]


@pytest.mark.parametrize("value", [b"\x01\x00\x00\x02\x00\x04" + bytes(14), b"\x01\xff\xfe\x00"])
def test_file_capability_is_kept(
    tmp_path: Path, rootfs: Path, monkeypatch: pytest.MonkeyPatch, value: bytes
) -> None:
    asked = []

    def getxattr(handle: int, name: str) -> bytes:
        asked.append((stat.S_ISREG(os.fstat(handle).st_mode), name))
        return value

    monkeypatch.setattr(os, "getxattr", getxattr)

    built = made(tmp_path, add=(Addition(str(rootfs / "bin" / "tool"), "/tool"),))

    headers = members(plain_layers(built.path)[0])["tool"].pax_headers
    stored = headers["SCHILY.xattr.security.capability"].encode("utf-8", "surrogateescape")
    assert stored == value
    assert asked == [(True, "security.capability")]


def test_file_that_shrinks_while_it_is_read_is_refused(tmp_path: Path) -> None:
    short = _Exactly(io.BytesIO(b"abc"), tmp_path)

    assert short.read(2) == b"ab"
    with pytest.raises(ImageError, match="changed while"):
        short.read(2)


NAMES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).map(str.encode),
    st.binary(min_size=1, max_size=120),
    st.sampled_from([b"a b", b"new\nline", "ü\u202e".encode(), b"\xff\xfe", b"-rf", b"\\", b" "]),
).filter(
    lambda name: (
        not {0, 47} & set(name)
        and name not in {b".", b".."}
        and not name.startswith(b".wh.")
        and len(name) < 200
    )
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NAMES, st.binary(max_size=50), min_size=1, max_size=5))
def test_names_of_any_bytes_round_trip(contents: dict[bytes, bytes]) -> None:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        (folder / "in").mkdir()
        for name, data in contents.items():
            (folder / "in" / os.fsdecode(name)).write_bytes(data)

        built = made(folder, add=(Addition(str(folder / "in"), "/to"),))

        found = {}
        with tarfile.open(fileobj=io.BytesIO(plain_layers(built.path)[0])) as tar:
            for member in tar:
                if member.isreg():
                    stream = tar.extractfile(member)
                    assert stream is not None
                    found[os.fsencode(member.name.removeprefix("to/"))] = stream.read()
    assert found == contents
