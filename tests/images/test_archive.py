import contextlib
import gzip
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kataui.errors import Cancelled, DestinationProblem, ImageError
from kataui.images import archive
from kataui.images.archive import TarTree
from kataui.images.open import open_source
from kataui.progress import Control
from tests.images.builders import tar_bytes, tiny_oci_archive

Scan = Callable[[bytes], TarTree]


@pytest.fixture
def scan(tmp_path: Path) -> Iterator[Scan]:
    """Scan an archive with these bytes; closed after the test."""
    with contextlib.ExitStack() as stack:

        def scan_bytes(data: bytes) -> TarTree:
            path = tmp_path / "scanned.tar"
            path.write_bytes(data)
            tree = TarTree.scan(path, control=Control())
            stack.callback(tree.close)
            return tree

        yield scan_bytes


def member(name: str, *, kind: bytes = tarfile.REGTYPE, link: str = "", data: bytes = b"") -> bytes:
    """One member without the end mark."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    info.size = len(data)
    return info.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % 512)


def read(tree: TarTree, name: str) -> bytes:
    with tree.open(name) as stream:
        return stream.read()


END = bytes(1024)


def test_members_are_read_in_place(scan: Scan) -> None:
    tree = scan(tar_bytes({"a": b"first", "./b/c": b"second", "d": b""}))

    with tree.open("a") as one, tree.open("b/c") as two:
        assert one.read(3) == b"fir"
        assert two.read() == b"second"
        assert one.read() == b"st"
        assert two.seek(-3, os.SEEK_END) == 3
        buffer = bytearray(10)
        assert two.readinto(buffer) == 3  # type: ignore[attr-defined]
        assert buffer[:3] == b"ond"
        with pytest.raises(ValueError, match="before the start"):
            two.seek(-1)
    assert tree.size_bytes("d") == 0
    assert tree.size_bytes("nothing") is None
    assert list(tree.names("b")) == ["c"]
    tree.close()


def test_stream_outlives_the_archive(scan: Scan) -> None:
    tree = scan(tar_bytes({"a": b"data"}))

    with tree.open("a") as stream:
        tree.close()
        assert stream.read() == b"data"


@pytest.mark.parametrize(
    ("kind", "link"), [(tarfile.SYMTYPE, "../real"), (tarfile.LNKTYPE, "real")]
)
def test_links_inside_are_followed(scan: Scan, kind: bytes, link: str) -> None:
    data = member("real", data=b"data") + member("x/link", kind=kind, link=link) + END

    assert read(scan(data), "x/link") == b"data"


@pytest.mark.parametrize("link", ["/etc/passwd", "../../etc/passwd", ".."])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_out_of_the_archive_are_refused(scan: Scan, kind: bytes, link: str) -> None:
    tree = scan(member("link", kind=kind, link=link) + END)

    with pytest.raises(ImageError, match="leads outside"):
        tree.open("link")


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "", "."])
def test_names_out_of_the_archive_are_refused(scan: Scan, name: str) -> None:
    tree = scan(member("../x", data=b"data") + END)

    with pytest.raises(ImageError, match="leads outside"):
        tree.open(name)


def test_loop_of_links_is_refused(scan: Scan) -> None:
    data = member("a", kind=tarfile.SYMTYPE, link="b") + member("b", kind=tarfile.SYMTYPE, link="a")

    with pytest.raises(ImageError, match="loop"):
        scan(data + END).open("a")


@pytest.mark.parametrize("second", ["a", "./a", "x/../a"])
def test_name_that_occurs_twice_is_refused(scan: Scan, second: str) -> None:
    with pytest.raises(ImageError, match="two members"):
        scan(member("a", data=b"1") + member(second, data=b"2") + END)


def test_sparse_member_is_refused_where_it_is_used(scan: Scan) -> None:
    info = tarfile.TarInfo("a")
    info.size = 4
    info.pax_headers = {"GNU.sparse.map": "0,4", "GNU.sparse.size": "100"}
    data = info.tobuf(tarfile.PAX_FORMAT) + b"data" + bytes(508) + member("b") + END
    tree = scan(data)

    assert tree.size_bytes("b") == 0
    with pytest.raises(ImageError, match="sparse"):
        tree.open("a")


@pytest.mark.parametrize("cut", [1, 700, 1100, 1536, 2048, 2049])
def test_cut_archive_is_refused(scan: Scan, cut: int) -> None:
    whole = member("a", data=b"x" * 600) + member("b", data=b"y")

    with pytest.raises(ImageError, match="not a whole tar"):
        scan(whole[:cut])


def test_header_that_claims_gigabytes_is_refused(scan: Scan) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type = tarfile.GNUTYPE_LONGNAME
    info.size = 1 << 40

    with pytest.raises(ImageError):
        scan(info.tobuf(tarfile.GNU_FORMAT) + END)


def test_negative_size_is_refused(scan: Scan) -> None:
    info = tarfile.TarInfo("a")
    info.size = -1024

    with pytest.raises(ImageError):
        scan(member("b") + info.tobuf(tarfile.GNU_FORMAT) + END)


def test_chain_of_headers_without_end_is_refused(scan: Scan) -> None:
    info = tarfile.TarInfo("x")
    info.type = tarfile.XHDTYPE

    with pytest.raises(ImageError):
        scan(info.tobuf(tarfile.USTAR_FORMAT) * 3000 + END)


def test_archive_of_too_many_files_is_refused(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MAX_MEMBERS", 10)

    with pytest.raises(ImageError, match="it is no image archive"):
        scan(b"".join(member(str(n)) for n in range(11)) + END)


def test_gzip_archive_is_unpacked_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    plain = tiny_oci_archive(tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(plain))

    with open_source(str(tmp_path / "a.tar.gz")) as source:
        assert len(source.images) == 1

    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("how", ["cut", "changed"])
def test_damaged_gzip_archive_is_refused(scan: Scan, how: str) -> None:
    packed = bytearray(gzip.compress(tar_bytes({"a": os.urandom(5000)})))
    data = packed[:-20] if how == "cut" else packed[:2000] + b"\xff" * 50 + packed[2050:]

    with pytest.raises(ImageError):
        scan(bytes(data))


def test_gzip_bomb_stops_before_the_disk_is_full(
    scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_KEEP_FREE_BYTES", 1 << 60)

    with pytest.raises(DestinationProblem, match="Not enough room"):
        scan(gzip.compress(bytes(10_000)))


def test_scan_can_be_cancelled(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar_bytes({"a": b""}))
    control = Control()
    control.cancel()

    with pytest.raises(Cancelled):
        TarTree.scan(tmp_path / "a.tar", control=control)


def test_gnu_and_ustar_long_names_are_known(scan: Scan) -> None:
    name = "x" * 90 + "/" + "y" * 90
    for kind in (tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=kind) as tar:
            info = tarfile.TarInfo(name)
            info.size = 4
            tar.addfile(info, io.BytesIO(b"data"))

        assert read(scan(buffer.getvalue()), name) == b"data"
