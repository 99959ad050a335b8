"""Root file systems that come as a tar."""

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from kataui.errors import (
    ImageError,
)
from tests.images.building import made, plain_layers


@pytest.fixture(autouse=True)
def _no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


def tar_of(*infos: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for info in infos:
            tar.addfile(info, io.BytesIO(bytes(info.size)))
    return buffer.getvalue()


def named(name: str, **more: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(info, key, value)
    return info


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "xz": lzma.compress,
    "two gzip members": lambda data: gzip.compress(data[:700]) + gzip.compress(data[700:]),
}


@pytest.mark.parametrize("packing", PACKERS)
def test_tar_becomes_the_first_layer_byte_for_byte(tmp_path: Path, packing: str) -> None:
    infos = (
        named("./", type=tarfile.DIRTYPE, mode=0o755),
        named("bin/a", size=3_000_000, uid=5, gid=6, mode=0o6711),
        named("n" * 300, size=1),
        named("bin/b", type=tarfile.LNKTYPE, linkname="bin/a"),
        named("dev/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        named("etc/l", type=tarfile.SYMTYPE, linkname="../../up"),
    )
    tar = tar_of(*infos)
    (tmp_path / "rootfs.tar").write_bytes(PACKERS[packing](tar))

    built = made(tmp_path, rootfs=str(tmp_path / "rootfs.tar"))

    assert plain_layers(built.path) == [tar]
    assert [finding.id for finding in built.findings] == ["IMG-BUILD-DEVICE"]
    assert "/dev/null" in built.findings[0].message


@pytest.mark.parametrize(
    "info",
    [
        named("/etc/passwd"),
        named("../x"),
        named("a/../../x"),
        named("a", type=tarfile.LNKTYPE, linkname="/etc/shadow"),
        named("a", type=tarfile.LNKTYPE, linkname="../x"),
    ],
)
def test_tar_that_leaves_its_root_is_refused(tmp_path: Path, info: tarfile.TarInfo) -> None:
    (tmp_path / "evil.tar").write_bytes(tar_of(named("good"), info))

    with pytest.raises(ImageError, match="leaves its root"):
        made(tmp_path, rootfs=str(tmp_path / "evil.tar"))

    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("kind", [b"V", b"D", b"7", b"Z"])
def test_tar_member_that_nobody_unpacks_is_refused(tmp_path: Path, kind: bytes) -> None:
    (tmp_path / "odd.tar").write_bytes(tar_of(named("label", type=kind)))

    with pytest.raises(ImageError, match="cannot unpack") as caught:
        made(tmp_path, rootfs=str(tmp_path / "odd.tar"))

    assert "--format=pax" in caught.value.hint


def _bomb() -> bytes:
    header = bytearray(named("x", type=tarfile.XHDTYPE).tobuf())
    header[124:136] = b"77777777777\0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    return bytes(header)


GOOD = tar_of(named("a", size=700), named("b"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"this is no tar",
        GOOD[:900],
        GOOD[:2048],
        GOOD + b"more",
        GOOD + tar_of(named("../hidden")),
        gzip.compress(GOOD)[:-20],
        gzip.compress(GOOD)[:-4] + b"size",
        zstandard.compress(GOOD)[:-9],
        lzma.compress(GOOD)[:-30],
        b"\x1f\x8b" + bytes(50),
        b"BZh91AY&SY" + bytes(600),
        _bomb(),
    ],
)
def test_what_is_no_whole_tar_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.tar").write_bytes(data)

    with pytest.raises(ImageError, match="not a whole tar"):
        made(tmp_path, rootfs=str(tmp_path / "bad.tar"))

    assert [path.name for path in tmp_path.iterdir()] == ["bad.tar"]
