"""The self-contained folder as one archive: the same bytes for the same folder."""

import gzip
import tarfile
from pathlib import Path

from place import VERSION, Place


def write(place: Place) -> Path:
    """``kataui-VERSION-linux-x86_64.tar.gz``; names sorted, owner root, one time."""
    import platform  # noqa: PLC0415 - only here

    path = place.out / f"kataui-{VERSION}-linux-{platform.machine()}.tar.gz"
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=place.moment_s) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for item in sorted(place.folder.rglob("*")):
            tar.add(item, f"kataui-{VERSION}/{item.relative_to(place.folder)}", recursive=False,
                    filter=lambda info: settled(info, place.moment_s))  # fmt: skip
    return path


def settled(info: tarfile.TarInfo, moment_s: int) -> tarfile.TarInfo:
    """Nobody's, of one moment, with rights that do not depend on who builds."""
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    info.mtime = moment_s
    info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
    return info
