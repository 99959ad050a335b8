"""A real prepared pod, and parcels made of it, for the tests of carrying and publishing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kataui.images.cosignkey import load_public_key, load_signing_key
from kataui.images.signatures import PublicKey
from kataui.pods import parcellist
from kataui.pods.parcel import Packed, pack
from kataui.pods.parcelread import Unpacked, unpack
from kataui.pods.prepare import PrepareAnswers, Prepared, prepare
from kataui.progress import Control
from tests.images.builders import tar_bytes, tiny_layout
from tests.keymaterial import Keys
from tests.pods.pods import manifest

NAMES = ("app", "sidecar")


def prepare_pod(folder: Path, keys: Keys, *, registry: str) -> Prepared:
    """A pod of two images, prepared as ``folder``/prepared."""
    for name in NAMES:
        noise = b"".join(f"{name} {number}\n".encode() for number in range(40_000))
        tiny_layout(folder / "images" / f"{name}_1", layers=[tar_bytes({name: noise})])
    (folder / "pod.yaml").write_text(manifest(images=[f"{name}:1" for name in NAMES]))
    asked = PrepareAnswers(
        file=str(folder / "pod.yaml"),
        images=str(folder / "images"),
        out=str(folder / "prepared"),
        recipients=(keys.broker,),
        sign_key=str(keys.sign_key),
        identity_prefix=f"{registry}/team",
    )
    return prepare(asked, ask=lambda _: "", control=Control())


def prepared(folder: Path, keys: Keys, *, registry: str = "registry.example.org") -> Path:
    """The folder of such a pod."""
    return prepare_pod(folder, keys, registry=registry).out


def public(keys: Keys) -> list[PublicKey]:
    """The key that signs in these tests."""
    return [PublicKey("sign.pub", load_public_key(keys.sign_pub))]


def packed(folder: Path, out: Path, keys: Keys | None = None, **more: Any) -> Packed:
    """Pack, signed when keys are given."""
    key = load_signing_key(keys.sign_key, lambda _: "") if keys else None
    return pack(folder, out, sign_key=key, control=more.pop("control", Control()), **more)


def unpacked(parts: list[Path], out: Path, keys: Keys | None = None, **more: Any) -> Unpacked:
    """Unpack, with the public key when keys are given."""
    asked: dict[str, Any] = {"public_keys": public(keys) if keys else (), "control": Control()}
    return unpack(parts, out, **{**asked, **more})


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder but those that are secret or made on arrival."""
    return {
        name: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        and not (name := path.relative_to(folder).as_posix()).startswith("keys/")
        and name not in parcellist.ARRIVAL_NAMES
    }


def relisted(parcel: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the list of a parcel that is one file, as somebody who means harm would."""
    data = parcel.read_bytes()
    with parcel.open("rb") as stream:
        head = parcellist.read_head(stream, parcel.name)
    value = json.loads(head.data)
    change(value)
    changed = json.dumps(value).encode()
    parcel.write_bytes(parcellist.member("parcel.json", changed) + data[head.end_bytes :])


def flip(path: Path, place: int) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
