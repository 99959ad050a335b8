"""The values of an OCI image: digests, descriptors, manifests, layers.

Source: OCI image-spec v1.1 (descriptor.md, manifest.md, image-index.md, config.md).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from kataui.errors import ImageError
from kataui.files import clean

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER_TAR = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP = OCI_LAYER_TAR + "+gzip"
OCI_LAYER_ZSTD = OCI_LAYER_TAR + "+zstd"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_LAYER_TAR = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_LAYER_ZSTD = "application/vnd.docker.image.rootfs.diff.tar.zstd"
ENCRYPTED_SUFFIX = "+encrypted"
REF_NAME = "org.opencontainers.image.ref.name"
IMAGE_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_INDEX})

MAX_BLOB_BYTES = 1 << 50  # a size above this is a lie, not an image
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 digest; other algorithms are refused (no consumer of ours knows them)."""

    hex: str

    @classmethod
    def parse(cls, text: object, *, what: str = "digest") -> Self:
        """From ``sha256:HEX``; raises ``ImageError`` for anything else."""
        match = _SHA256.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            shown = clean(str(text), limit=90)
            raise ImageError(
                f"The {what} {shown!r} is not a sha256 digest.",
                hint="Only sha256: followed by 64 hexadecimal digits is supported.",
            )
        return cls(match.group(1))

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The digest of some bytes."""
        return cls(hashlib.sha256(data).hexdigest())

    def __str__(self) -> str:
        return f"sha256:{self.hex}"

    @property
    def short(self) -> str:
        """For people: "sha256:3f9a61c2…0b7e"."""
        return f"sha256:{self.hex[:8]}…{self.hex[-4:]}"


@dataclass(frozen=True, slots=True)
class Platform:
    """An index entry's platform."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to a blob: media type, digest and size in bytes."""

    media_type: str
    digest: Digest
    size_bytes: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Platform | None = None
    artifact_type: str = ""

    @classmethod
    def parse(cls, value: object, *, what: str) -> Self:
        """From parsed JSON; raises ``ImageError`` when a member is missing or malformed."""
        if not isinstance(value, dict):
            raise ImageError(f"The {what} is not a descriptor.")
        media_type = value.get("mediaType")
        size = value.get("size")
        if not isinstance(media_type, str) or not media_type:
            raise ImageError(f"The {what} has no media type.")
        if type(size) is not int or not 0 <= size <= MAX_BLOB_BYTES:
            raise ImageError(f"The {what} has no believable size.")
        return cls(
            media_type,
            Digest.parse(value.get("digest"), what=f"digest of the {what}"),
            size,
            text_map(value.get("annotations"), what=f"annotations of the {what}"),
            _platform(value.get("platform")),
            str(value.get("artifactType") or ""),
        )

    def as_json(self) -> dict[str, Any]:
        """The descriptor as it stands in a manifest or index."""
        value: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": str(self.digest),
            "size": self.size_bytes,
        }
        if self.artifact_type:
            value["artifactType"] = self.artifact_type
        if self.annotations:
            value["annotations"] = dict(self.annotations)
        if self.platform is not None:
            platform = self.platform
            value["platform"] = {"architecture": platform.architecture, "os": platform.os}
            if platform.variant:
                value["platform"]["variant"] = platform.variant
        return value

    @property
    def encrypted(self) -> bool:
        """Whether the media type says that the blob is encrypted (ocicrypt, spec.go)."""
        return self.media_type.endswith(ENCRYPTED_SUFFIX)

    @property
    def plain_type(self) -> str:
        """The media type without ``+encrypted``."""
        return self.media_type.removesuffix(ENCRYPTED_SUFFIX)


def _platform(value: object) -> Platform | None:
    if not isinstance(value, dict):
        return None
    return Platform(
        clean(str(value.get("os", "")), limit=40),
        clean(str(value.get("architecture", "")), limit=40),
        clean(str(value.get("variant") or ""), limit=40),
    )


def text_map(value: object, *, what: str) -> dict[str, str]:
    """A JSON object of strings; ``null`` or absent is empty."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ImageError(f"The {what} are not an object of texts.")
    return value


@dataclass(frozen=True, slots=True)
class Config:
    """What the image runs, as its configuration blob says. Never encrypted by anybody."""

    raw: bytes
    platform: Platform
    created: str = ""
    diff_ids: tuple[Digest, ...] = ()
    history: tuple["HistoryLine", ...] = ()
    environment: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of ``history``: the command that made a layer, or changed settings only."""

    created_by: str
    comment: str = ""
    empty_layer: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: ``index`` 0 is the base, as in skopeo; ``command`` is raw text from outside."""

    index: int
    descriptor: Descriptor
    diff_id: Digest
    command: str = ""

    @property
    def encrypted(self) -> bool:
        """Whether the media type says so."""
        return self.descriptor.encrypted


@dataclass(frozen=True, slots=True)
class Image:
    """An image for one platform.

    ``descriptor`` points to the manifest, ``manifest`` is its JSON object with every member
    that was there, ``raw`` the exact bytes that the digest is of.
    """

    descriptor: Descriptor
    raw: bytes
    manifest: Mapping[str, Any]
    config: Config
    config_descriptor: Descriptor
    layers: tuple[Layer, ...]

    @property
    def digest(self) -> Digest:
        """The manifest's digest."""
        return self.descriptor.digest

    @property
    def annotations(self) -> Mapping[str, str]:
        """The manifest's annotations."""
        return text_map(self.manifest.get("annotations"), what="annotations of the manifest")

    @property
    def size_bytes(self) -> int:
        """The sum of the layers' sizes as stored."""
        return sum(layer.descriptor.size_bytes for layer in self.layers)
