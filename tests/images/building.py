"""Building images in tests, and reading back what was built."""

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

from kataui.images.build import BuildAnswers, Built, build
from kataui.images.model import Image
from kataui.images.open import open_source
from kataui.images.source import Source
from kataui.progress import Control

OLD_S = 1_500_000_000


def make_rootfs(root: Path) -> Path:
    """A small root file system with everything that a tar can keep."""
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "tool").write_bytes(b"#!tool\n")
    (root / "bin" / "tool").chmod(0o4755)
    (root / "bin" / "same").hardlink_to(root / "bin" / "tool")
    (root / "sh").symlink_to("bin/tool")
    (root / "outside").symlink_to("/etc/passwd")
    (root / "var").mkdir(mode=0o700)
    (root / "var" / "data").write_bytes(b"x" * 3000)
    os.mkfifo(root / "var" / "pipe", 0o600)
    os.utime(root / "var" / "data", ns=(0, OLD_S * 10**9 + 123_456_780))
    return root


def made(tmp_path: Path, **answers: Any) -> Built:
    answers.setdefault("destination", str(tmp_path / "made"))
    return build(BuildAnswers(**answers), Control())


def only(source: Source) -> Image:
    return source.images[0]


def plain_layers(place: Path | str) -> list[bytes]:
    """The tars of the layers; digests and diff_ids are checked on the way."""
    tars = []
    with open_source(str(place)) as source:
        for layer in only(source).layers:
            with source.blobs.open(layer.descriptor.digest) as stream:
                packed = stream.read()
            assert hashlib.sha256(packed).hexdigest() == layer.descriptor.digest.hex
            tars.append(gzip.decompress(packed))
            assert hashlib.sha256(tars[-1]).hexdigest() == layer.diff_id.hex
    return tars


def members(tar: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        return {member.name: member for member in opened}


def config_of(place: Path) -> dict[str, Any]:
    with open_source(str(place)) as source:
        value: dict[str, Any] = json.loads(only(source).config.raw)
        return value
