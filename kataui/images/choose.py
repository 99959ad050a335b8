"""Choosing the one image that is meant among the entries of a layout's ``index.json``.

Source: OCI image-spec v1.1, annotations.md (``ref.name``); cosign, pkg/oci/layout/index.go
(``kind``); Docker's and BuildKit's ``io.containerd.image.name`` and attestation manifests.
"""

import re
from collections.abc import Iterable, Sequence

from kataui.errors import ImageError, KatauiError
from kataui.files import clean, parse_json_object
from kataui.images.blobs import MAX_MANIFEST_BYTES, Blobs, read_blob
from kataui.images.manifest import CONFIG_TYPES
from kataui.images.model import IMAGE_TYPES, INDEX_TYPES, REF_NAME, Descriptor

CONTAINERD_NAME = "io.containerd.image.name"
_KIND = "kind"
_COSIGN_KINDS = "dev.cosignproject.cosign/"
_COSIGN_IMAGES = frozenset({_COSIGN_KINDS + "image", _COSIGN_KINDS + "imageIndex"})
_ATTESTATION = "vnd.docker.reference.type"
_SIGNATURE_TAG = re.compile(r"sha256-[0-9a-f]{64}(\.[a-z]+)?", re.ASCII)
_MAX_LISTED = 20


def choose(blobs: Blobs, entries: Sequence[Descriptor], tag: str) -> tuple[Descriptor, str]:
    """The entry that ``tag`` names, or the only image, and its tag.

    Signatures, attestations and other artifacts are not images to choose among. Raises
    ``ImageError`` when nothing or several things are meant.
    """
    images = [entry for entry in entries if _may_be_image(entry)]
    if len({entry.digest for entry in images}) > 1:
        images = [entry for entry in images if not _refers_to_another(blobs, entry)]
    found = [entry for entry in images if not tag or tag in _tags(entry)]
    if len({entry.digest for entry in found}) == 1:
        return found[0], tag or next(iter(_tags(found[0])), "")
    if not images:
        raise ImageError("No image is listed here.", hint="The image is incomplete; get it again.")
    named = _listed(name for entry in images for name in _tags(entry))
    if tag and not found:
        raise ImageError(
            f"There is no image with the tag {clean(tag, limit=130)!r} here.",
            hint=f"It has: {named or 'images without tags'}.",
        )
    raise ImageError(
        f"There are {len({entry.digest for entry in found})} images here: "
        f"{named or 'they have no tags'}.",
        hint="Choose one: write PATH:TAG."
        if named
        else "Copy the one that you mean to a layout of its own.",
    )


def tags_in(entries: Iterable[Descriptor]) -> list[str]:
    """The tags under which a layout has images, each once, in its order."""
    images = (entry for entry in entries if _may_be_image(entry))
    return list(dict.fromkeys(tag for entry in images for tag in _tags(entry)))


def is_attestation(entry: Descriptor) -> bool:
    """Whether an index entry is BuildKit's attestation about another entry."""
    unknown = entry.platform is not None and entry.platform.os == "unknown"
    return _ATTESTATION in entry.annotations or unknown


def tag_of(name: str) -> str:
    """The tag in a name like ``registry/repository:tag``; a name without one is itself a tag."""
    last = name.rpartition(":")[2]
    if "/" not in last:
        return last
    return "latest"


def _tags(entry: Descriptor) -> dict[str, None]:
    """The tags that name an entry, the best first (a dict keeps the order)."""
    names = (entry.annotations.get(key, "") for key in (REF_NAME, CONTAINERD_NAME))
    return {tag_of(name): None for name in names if name}


def _may_be_image(entry: Descriptor) -> bool:
    if entry.media_type not in IMAGE_TYPES | INDEX_TYPES or is_attestation(entry):
        return False
    kind = entry.annotations.get(_KIND, "")
    if kind.startswith(_COSIGN_KINDS) and kind not in _COSIGN_IMAGES:
        return False
    return not _SIGNATURE_TAG.fullmatch(entry.annotations.get(REF_NAME, ""))


def _refers_to_another(blobs: Blobs, entry: Descriptor) -> bool:
    """Whether a manifest has a ``subject`` or is an artifact; what cannot be read is kept."""
    if entry.media_type not in IMAGE_TYPES:
        return False
    try:
        raw = read_blob(blobs, entry, limit_bytes=MAX_MANIFEST_BYTES, what="manifest")
        value = parse_json_object(raw, what="manifest")
    except KatauiError:
        return False  # said when it is chosen
    config = value.get("config")
    kind = config.get("mediaType") if isinstance(config, dict) else None
    return "subject" in value or not isinstance(kind, str) or kind not in CONFIG_TYPES


def _listed(names: Iterable[str]) -> str:
    unique = [clean(name, limit=130) for name in dict.fromkeys(names)]
    more = f" and {len(unique) - _MAX_LISTED} more" if len(unique) > _MAX_LISTED else ""
    return ", ".join(unique[:_MAX_LISTED]) + more
