"""Small real images for the tests: layouts, archives and ``dir:`` images of real tar files."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import zstandard

from kataui.images.model import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER_GZIP,
    OCI_LAYER_TAR,
    OCI_LAYER_ZSTD,
    OCI_MANIFEST,
    REF_NAME,
    Digest,
)

LAYER_TYPES = {"none": OCI_LAYER_TAR, "gzip": OCI_LAYER_GZIP, "zstd": OCI_LAYER_ZSTD}
PLATFORM = "linux/amd64"


def tar_bytes(files: Mapping[str, bytes]) -> bytes:
    """A tar of regular files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def three_layers() -> list[bytes]:
    """Three different plain tars, the base first."""
    return [
        tar_bytes({"etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n"}),
        tar_bytes({"app/data.txt": b"".join(b"%d\n" % number for number in range(500))}),
        tar_bytes({"note": b"the third layer\n"}),
    ]


def compress(data: bytes, how: str) -> bytes:
    """``how``: none, gzip or zstd."""
    if how == "gzip":
        return gzip.compress(data, mtime=0)
    return zstandard.compress(data) if how == "zstd" else data


def put(folder: Path, data: bytes) -> dict[str, Any]:
    """Write a blob into a layout; gives the digest and size of a descriptor."""
    digest = Digest.of(data)
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    (blobs / digest.hex).write_bytes(data)
    return {"digest": str(digest), "size": len(data)}


def put_json(folder: Path, value: object, media_type: str, **more: Any) -> dict[str, Any]:
    """Write a JSON blob; gives its descriptor."""
    return {"mediaType": media_type, **put(folder, json.dumps(value).encode()), **more}


def config_json(
    layers: Sequence[bytes],
    *,
    platform: str = PLATFORM,
    env: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    history: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """A configuration for plain tars; the history has a COPY line for each."""
    system, architecture, *variant = platform.split("/")
    lines = [{"created_by": f"COPY part{index} /part{index}"} for index in range(len(layers))]
    return {
        "created": "2026-11-20T14:02:00Z",
        "architecture": architecture,
        "os": system,
        **({"variant": variant[0]} if variant else {}),
        "config": {
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", *env],
            "Cmd": ["/bin/sh"],
            "Labels": dict(labels or {}),
        },
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(layer)) for layer in layers]},
        "history": list(lines if history is None else history),
    }


def put_image(
    folder: Path,
    layers: Sequence[bytes],
    *,
    compression: str = "gzip",
    annotations: Mapping[str, str] | None = None,
    **config: Any,
) -> dict[str, Any]:
    """Write layers, configuration and manifest; gives the manifest's descriptor."""
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": put_json(folder, config_json(layers, **config), OCI_CONFIG),
        "layers": [
            {"mediaType": LAYER_TYPES[compression], **put(folder, compress(layer, compression))}
            for layer in layers
        ],
    }
    if annotations:
        manifest["annotations"] = dict(annotations)
    return put_json(folder, manifest, OCI_MANIFEST)


def write_layout(folder: Path, entries: Sequence[Mapping[str, Any]]) -> Path:
    """Write ``oci-layout`` and ``index.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries)}
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def tiny_layout(
    path: Path,
    *,
    layers: Sequence[bytes] | None = None,
    compression: str = "gzip",
    tag: str = "1",
    platforms: Sequence[str] = (PLATFORM,),
    **image: Any,
) -> Path:
    """An OCI layout with one image, or with an index when there are several platforms.

    ``image``: env, labels, history and annotations, as in ``put_image``.
    """
    tars = three_layers() if layers is None else layers
    made = []
    for platform in platforms:
        system, architecture, *variant = platform.split("/")
        entry = put_image(path, tars, compression=compression, platform=platform, **image)
        entry["platform"] = {"architecture": architecture, "os": system}
        if variant:
            entry["platform"]["variant"] = variant[0]
        made.append(entry)
    if len(made) == 1:
        root = {key: value for key, value in made[0].items() if key != "platform"}
    else:
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": made}
        root = put_json(path, index, OCI_INDEX)
    if tag:
        root["annotations"] = {REF_NAME: tag}
    return write_layout(path, [root])


def pack(folder: Path, archive: Path, *, mode: str = "w") -> Path:
    """A tar of a folder's contents; ``mode`` "w:gz" compresses it."""
    with tarfile.open(archive, mode) as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, str(path.relative_to(folder)), recursive=False)
    return archive


def tiny_oci_archive(path: Path, **image: Any) -> Path:
    """An oci-archive; arguments as ``tiny_layout``."""
    return pack(tiny_layout(path.with_name(path.name + ".layout"), **image), path)


def docker_folder(
    path: Path,
    *,
    layers: Sequence[bytes] | None = None,
    names: Sequence[str] = ("localhost/tiny:1",),
    compression: str = "none",
    linked: bool = False,
    **config: Any,
) -> Path:
    """An extracted ``docker save``; ``linked`` refers to ``ID/layer.tar`` symbolic links."""
    tars = three_layers() if layers is None else layers
    path.mkdir(parents=True, exist_ok=True)
    members = []
    for index, layer in enumerate(tars):
        name = f"{Digest.of(layer).hex}.tar"
        (path / name).write_bytes(compress(layer, compression))
        if linked:
            (path / f"id{index}").mkdir()
            (path / f"id{index}" / "layer.tar").symlink_to(f"../{name}")
            name = f"id{index}/layer.tar"
        members.append(name)
    raw = json.dumps(config_json(tars, **config)).encode()
    name = f"{Digest.of(raw).hex}.json"
    (path / name).write_bytes(raw)
    manifest = [{"Config": name, "RepoTags": list(names), "Layers": members}]
    (path / "manifest.json").write_text(json.dumps(manifest))
    return path


def tiny_docker_archive(path: Path, *, mode: str = "w", **image: Any) -> Path:
    """A docker-archive; arguments as ``docker_folder``."""
    return pack(docker_folder(path.with_name(path.name + ".folder"), **image), path, mode=mode)


def tiny_dir(path: Path, *, signatures: Sequence[bytes] = (), **image: Any) -> Path:
    """A ``dir:`` image, as skopeo lays it out."""
    layout = tiny_layout(path.with_name(path.name + ".layout"), **image)
    entry = json.loads((layout / "index.json").read_text())["manifests"][0]
    root = entry["digest"].removeprefix("sha256:")
    path.mkdir(parents=True)
    for blob in (layout / "blobs" / "sha256").iterdir():
        kind = json.loads(blob.read_bytes()) if blob.read_bytes().startswith(b"{") else {}
        name = f"{blob.name}.manifest.json" if "layers" in kind else blob.name
        (path / ("manifest.json" if blob.name == root else name)).write_bytes(blob.read_bytes())
    (path / "version").write_text("Directory Transport Version: 1.1\n")
    for number, signature in enumerate(signatures, start=1):
        (path / f"signature-{number}").write_bytes(signature)
    return path
