"""A sample image made on the spot, and throwaway keys, so that everything can be tried at once."""

import random
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kataui.files import compact_json, write_new
from kataui.images.keymaking import new_key
from kataui.images.model import OCI_CONFIG, OCI_MANIFEST, REF_NAME, Descriptor
from kataui.images.tarlayer import MadeLayer, add_bytes, write_layer
from kataui.images.writer import LayoutWriter
from kataui.progress import Control

TAG = "2.4.1"
_TIME_S = 1_764_000_000  # a fixed moment: the sample is the same image every time
_CREATED = "2025-11-24T16:00:00Z"
_MODEL_BYTES = 2 << 20
_NOTE = (
    "These keys were made to try kataui and lie beside the image that they open.\n"
    "Throw them away. Never use them for an image that matters.\n"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample image: a layout folder and the tag in it."""

    source: Path
    tag: str


@dataclass(frozen=True, slots=True)
class SampleKeys:
    """Throwaway keys: for opening (jwe) and for signing (cosign, empty passphrase)."""

    recipient_spec: str
    private_key: Path
    sign_key: Path
    public_key: Path


def _file_system() -> list[tuple[str, list[tuple[str, bytes, int]]]]:
    """The layers: the command that made each, and its files (name, content, mode)."""
    numbers = random.Random(7)  # noqa: S311 - a sample, not a secret
    libraries = b"".join(b"def price_%d(x): return x * %d\n" % (n, n) for n in range(9000))
    return [
        (
            "ADD rootfs.tar.xz / # sample base files",
            [
                ("etc/os-release", b'NAME="Sample base"\nVERSION_ID="12"\n', 0o644),
                ("etc/passwd", b"root:x:0:0::/:/bin/sh\napp:x:10001:10001::/srv:/bin/sh\n", 0o644),
                ("usr/share/base/words.txt", b"base file system of the sample\n" * 9000, 0o644),
            ],
        ),
        (
            "COPY /usr/local /usr/local # sample runtime",
            [("usr/local/lib/runtime.py", libraries, 0o644)],
        ),
        (
            "COPY model.onnx /srv/model # pricing model",
            [("srv/model/model.onnx", numbers.randbytes(_MODEL_BYTES), 0o600)],
        ),
        (
            "COPY src/ /srv/app # application",
            [("srv/app/start.sh", b"#!/bin/sh\nexec /usr/local/bin/checkout --port 8080\n", 0o755)],
        ),
    ]


def make_sample(folder: Path, control: Control) -> Sample:
    """Write the sample image as an OCI layout into ``folder``: two base layers, two own ones."""
    layout = LayoutWriter.create(folder)
    history: list[dict[str, Any]] = []
    layers: list[MadeLayer] = []
    for number, (command, contents) in enumerate(_file_system()):

        def fill(
            tar: tarfile.TarFile, files: list[tuple[str, bytes, int]] = contents
        ) -> tuple[str, ...]:
            for name, data, mode in files:
                add_bytes(tar, name, data, mode=mode, time_s=_TIME_S)
            return ()

        layers.append(write_layer(layout, fill, control))
        history.append({"created": _CREATED, "created_by": command})
        if number == 1:  # where an official base image ends
            cmd = '/bin/sh -c #(nop)  CMD ["sh"]'
            history.append({"created": _CREATED, "created_by": cmd, "empty_layer": True})
    entry = _write_manifest(layout, layers, history)
    layout.write_index([entry])
    return Sample(folder, TAG)


def _write_manifest(
    layout: LayoutWriter, layers: list[MadeLayer], history: list[dict[str, Any]]
) -> Descriptor:
    config = {
        "created": _CREATED,
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "User": "app",
            "WorkingDir": "/srv",
            "Entrypoint": ["/srv/app/start.sh"],
            "Env": [
                "PATH=/usr/local/bin:/usr/bin:/bin",
                "PAYMENT_API_KEY=sk_sample_not_a_real_key_0123456789",
            ],
            "Labels": {"org.opencontainers.image.title": "shop/checkout"},
        },
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in layers]},
        "history": history,
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": layout.add(compact_json(config), OCI_CONFIG).as_json(),
        "layers": [layer.descriptor.as_json() for layer in layers],
        "annotations": {
            "org.opencontainers.image.base.name": "registry.example.org/sample/base:12"
        },
    }
    written = layout.add(compact_json(manifest), OCI_MANIFEST)
    return Descriptor(written.media_type, written.digest, written.size_bytes, {REF_NAME: TAG})


def make_sample_keys(folder: Path) -> SampleKeys:
    """Write throwaway keys and a note that says so; the folder is the owner's alone."""
    folder.mkdir(mode=0o700, parents=True)
    write_new(folder / "THROWAWAY-KEYS.txt", _NOTE.encode())
    opening = new_key("jwe", folder / "throwaway-recipient")
    signing = new_key("cosign", folder / "throwaway-signing", passphrase="")
    public = opening.public or opening.private
    return SampleKeys(
        f"jwe:{public}", opening.private, signing.private, signing.public or signing.private
    )
