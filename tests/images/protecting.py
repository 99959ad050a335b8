"""Doing the whole act in tests, and damaging what it wrote."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from kataui.images.cosignkey import load_public_key, load_signing_key
from kataui.images.keys import KeyRing, load_keys
from kataui.images.model import REF_NAME, Digest
from kataui.images.open import open_source
from kataui.images.protect import Protected, protect
from kataui.images.protectanswers import ProtectAnswers
from kataui.images.sign import sign_source
from kataui.images.signatures import PublicKey
from kataui.images.verdict import BOTH
from kataui.images.verify import Report, verify
from kataui.progress import Control
from tests.keymaterial import Keys

IDENTITY = "registry.example.org/team/app"


def answers(source: Path | str, target: Path, keys: Keys, /, **changes: Any) -> ProtectAnswers:
    """Complete answers: one RSA recipient, its private key at hand."""
    base = ProtectAnswers(
        source=str(source),
        destination=str(target),
        recipients=(keys.recipient,),
        sign_key=str(keys.sign_key),
        identity=IDENTITY,
        keys=(keys.private,),
    )
    return replace(base, **changes)


def run(asked: ProtectAnswers, control: Control | None = None) -> Protected:
    """Protect with empty passphrases."""
    return protect(asked, ask=lambda _: "", control=control or Control())


def judge(
    path: Path | str, keys: Keys | None = None, *, private: tuple[str, ...] = (), **more: Any
) -> Report:
    """Verify with the signing key's public half, and private keys if given."""
    ring = load_keys(private, lambda _: "") if private else KeyRing()
    public = ()
    if keys is not None:
        public = (PublicKey("sign.pub", load_public_key(keys.sign_pub)),)
    options: dict[str, Any] = {"require": BOTH, **more}
    with open_source(str(path)) as source:
        return verify(source, public_keys=public, ring=ring, control=Control(), **options)


def sign(
    layout: Path | str,
    keys: Keys,
    *,
    key: Path | None = None,
    identity: str = IDENTITY,
    bundle: bool = False,
) -> None:
    """Sign in place with a key without a passphrase."""
    with open_source(str(layout)) as source:
        private = load_signing_key(key or keys.sign_key, lambda _: "")
        sign_source(source, key=private, identity=identity, bundle=bundle, control=Control())


def ids(report: Report) -> set[str]:
    """The ids of the findings."""
    return {finding.id for finding in report.findings}


def blob(layout: Path, digest: str) -> Path:
    """The file of a blob."""
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")


def entries_of(layout: Path) -> list[dict[str, Any]]:
    """The entries of ``index.json``."""
    value: dict[str, Any] = json.loads((layout / "index.json").read_text())
    entries: list[dict[str, Any]] = value["manifests"]
    return entries


def image_entry(layout: Path) -> dict[str, Any]:
    """The first entry of ``index.json``: the image."""
    return entries_of(layout)[0]


def add_entry(layout: Path, entry: dict[str, Any], tag: str) -> None:
    """Name an image once more in ``index.json``."""
    value = json.loads((layout / "index.json").read_text())
    value["manifests"].append({**entry, "annotations": {REF_NAME: tag}})
    (layout / "index.json").write_text(json.dumps(value))


def manifest_of(layout: Path) -> dict[str, Any]:
    """The image's manifest."""
    value: dict[str, Any] = json.loads(blob(layout, image_entry(layout)["digest"]).read_text())
    return value


def config_of(layout: Path) -> dict[str, Any]:
    """The image's config."""
    text = blob(layout, manifest_of(layout)["config"]["digest"]).read_text()
    value: dict[str, Any] = json.loads(text)
    return value


def change_manifest(layout: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite the manifest with right digests, as somebody who tampers would."""

    index = json.loads((layout / "index.json").read_text())
    entry = index["manifests"][0]
    manifest = json.loads(blob(layout, entry["digest"]).read_text())
    change(manifest)
    data = json.dumps(manifest).encode()
    entry["digest"], entry["size"] = str(Digest.of(data)), len(data)
    blob(layout, entry["digest"]).write_bytes(data)
    (layout / "index.json").write_text(json.dumps(index))


def replace_layer(layout: Path, index: int, data: bytes) -> None:
    """Put other bytes in a layer, with right digests and everything else as it was."""

    def change(manifest: dict[str, Any]) -> None:
        layer = manifest["layers"][index]
        layer["digest"], layer["size"] = str(Digest.of(data)), len(data)
        blob(layout, layer["digest"]).write_bytes(data)

    change_manifest(layout, change)
