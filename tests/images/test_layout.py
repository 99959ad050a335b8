import os
from pathlib import Path

import pytest

from kataui.errors import ImageError, KatauiError
from kataui.images.layout import LayoutBlobs, read_index
from kataui.images.model import Digest
from kataui.images.open import open_source
from tests.images.builders import put, tiny_layout


def test_index_is_read(tmp_path: Path) -> None:
    index = read_index(tiny_layout(tmp_path))

    assert index["schemaVersion"] == 2


@pytest.mark.parametrize("mark", ["{}", '{"imageLayoutVersion":"2.0.0"}', "[]", "{"])
def test_layout_of_an_unknown_version_is_refused(tmp_path: Path, mark: str) -> None:
    tiny_layout(tmp_path)
    (tmp_path / "oci-layout").write_text(mark)

    with pytest.raises(KatauiError):
        read_index(tmp_path)


def test_each_stream_has_its_own_position(tmp_path: Path) -> None:
    put(tmp_path, b"0123456789")
    blobs = LayoutBlobs(tmp_path)
    digest = Digest.of(b"0123456789")

    with blobs.open(digest) as one, blobs.open(digest) as two:
        assert one.read(5) == b"01234"
        assert two.read(2) == b"01"
        one.seek(8)
        assert one.read() == b"89"
    assert list(blobs.digests()) == [digest]


@pytest.mark.parametrize("what", ["blob", "folder"])
def test_link_out_of_the_layout_is_refused(tmp_path: Path, what: str) -> None:
    secret = b"not yours"
    outside = tmp_path / "outside"
    put(outside, secret)
    layout = tmp_path / "layout"
    (layout / "blobs").mkdir(parents=True)
    name = Digest.of(secret).hex
    if what == "blob":
        (layout / "blobs" / "sha256").mkdir()
        (layout / "blobs" / "sha256" / name).symlink_to(outside / "blobs" / "sha256" / name)
    else:
        (layout / "blobs" / "sha256").symlink_to(outside / "blobs" / "sha256")

    with pytest.raises(ImageError, match="leads outside"):
        LayoutBlobs(layout).open(Digest.of(secret))


def test_link_inside_the_layout_is_followed(tmp_path: Path) -> None:
    put(tmp_path, b"data")
    digest = Digest.of(b"data")
    place = tmp_path / "blobs" / "sha256" / digest.hex
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(Path("../../elsewhere"))

    with LayoutBlobs(tmp_path).open(digest) as stream:
        assert stream.read() == b"data"


def test_loop_of_links_is_refused(tmp_path: Path) -> None:
    put(tmp_path, b"data")
    place = tmp_path / "blobs" / "sha256" / Digest.of(b"data").hex
    place.unlink()
    place.symlink_to(place.name)

    with pytest.raises(ImageError):
        LayoutBlobs(tmp_path).open(Digest.of(b"data"))


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_blob_that_is_no_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    put(tmp_path, b"data")
    place = tmp_path / "blobs" / "sha256" / Digest.of(b"data").hex
    place.unlink()
    if kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()

    with pytest.raises(ImageError, match="not a regular file"):
        LayoutBlobs(tmp_path).has(Digest.of(b"data"))


def test_missing_blob_is_told(tmp_path: Path) -> None:
    blobs = LayoutBlobs(tmp_path)

    assert not blobs.has(Digest.of(b""))
    assert list(blobs.digests()) == []
    with pytest.raises(ImageError, match="missing"):
        blobs.size_bytes(Digest.of(b""))


def test_too_big_index_is_refused(tmp_path: Path) -> None:
    tiny_layout(tmp_path)
    (tmp_path / "index.json").write_bytes(b" " * (5 << 20))

    with pytest.raises(ImageError, match="too big"):
        open_source(str(tmp_path))
