"""From the chosen entry to its images: one, or the platforms of an index that are whole here."""

from dataclasses import dataclass, field

from kataui.errors import ImageError
from kataui.files import clean
from kataui.findings import Finding, Severity
from kataui.images.blobs import Blobs
from kataui.images.choose import is_attestation
from kataui.images.manifest import (
    MAX_ENTRIES,
    Manifest,
    read_image,
    read_manifest,
    read_nested_index,
)
from kataui.images.model import IMAGE_TYPES, INDEX_TYPES, Descriptor, Image, Platform
from kataui.images.platforms import is_wanted
from kataui.progress import Control

_MAX_DEPTH = 3  # indexes in indexes; real ones have one level


@dataclass(slots=True)
class Walk:
    """Collects the images below ``root`` and what was left out.

    ``may_lack_layers``: a ``dir:`` image without its layers is still inspected; what is missing
    becomes a finding.
    """

    blobs: Blobs
    wanted: tuple[Platform, ...]
    control: Control
    may_lack_layers: bool = False
    images: list[Image] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _entries: int = 0
    _attestations: int = 0
    _platforms: list[Platform] = field(default_factory=list)

    def root(self, root: Descriptor) -> bytes:
        """Walk; gives the bytes of the index, empty when ``root`` is an image.

        Raises ``KatauiError`` when nothing that is wanted is whole here.
        """
        index_raw = b""
        if root.media_type in INDEX_TYPES:
            index_raw = self._index(root, depth=1)
        else:
            self._only(root)
        if self._attestations:
            self.findings.append(_attestations(self._attestations))
        if not self.images and not self.may_lack_layers:
            raise self._nothing()
        return index_raw

    def _only(self, root: Descriptor) -> None:
        manifest = read_manifest(self.blobs, root)
        absent = _absent(self.blobs, manifest)
        if absent and not self.may_lack_layers:
            raise ImageError(
                f"The image is not whole: {absent} is missing.",
                hint="Get it again, with all its layers.",
            )
        self._take(manifest, absent)

    def _index(self, descriptor: Descriptor, *, depth: int) -> bytes:
        if depth > _MAX_DEPTH:
            raise ImageError(f"The index is nested more than {_MAX_DEPTH} levels deep.")
        index = read_nested_index(self.blobs, descriptor)
        self._entries += len(index.entries)
        if self._entries > MAX_ENTRIES:
            raise ImageError(f"The index has more than {MAX_ENTRIES} entries.")
        for entry in index.entries:
            self.control.check()
            self._entry(entry, depth)
        return index.raw

    def _entry(self, entry: Descriptor, depth: int) -> None:
        if is_attestation(entry):
            self._attestations += 1
        elif entry.media_type not in IMAGE_TYPES | INDEX_TYPES:
            self.findings.append(_artifact(entry))
        elif entry.platform is not None and not is_wanted(entry.platform, self.wanted):
            self._platforms.append(entry.platform)
        elif not self.blobs.has(entry.digest):
            what = "index" if entry.media_type in INDEX_TYPES else "manifest"
            self.findings.append(_incomplete(_name(entry), f"its {what}"))
        elif entry.media_type in INDEX_TYPES:
            self._index(entry, depth=depth + 1)
        else:
            manifest = read_manifest(self.blobs, entry)
            self._take(manifest, _absent(self.blobs, manifest))

    def _take(self, manifest: Manifest, absent: str) -> None:
        """Keep an image, or say why it is left out."""
        entry = manifest.descriptor
        if absent:
            self.findings.append(_incomplete(_name(entry), absent))
            if not self.may_lack_layers or not self.blobs.has(manifest.config.digest):
                return
        image = read_image(self.blobs, manifest)
        platform = entry.platform or image.config.platform
        self._platforms.append(platform)
        if is_wanted(platform, self.wanted):
            self.images.append(image)

    def _nothing(self) -> ImageError:
        there = ", ".join(dict.fromkeys(str(platform) for platform in self._platforms))
        wish = ", ".join(str(platform) for platform in self.wanted)
        if wish and there:
            return ImageError(
                f"There is no whole image for {wish} here.", hint=f"There is: {clean(there)}."
            )
        return ImageError(
            "No platform of this index is whole here.", hint="Get it again, with all its layers."
        )


def _absent(blobs: Blobs, manifest: Manifest) -> str:
    """What of an image is not here, for people; empty when it is whole."""
    if not blobs.has(manifest.config.digest):
        return "its configuration"
    for index, (layer, value) in enumerate(
        zip(manifest.layers, manifest.value.get("layers") or (), strict=True)
    ):
        if not blobs.has(layer.digest):
            elsewhere = bool(value.get("urls")) or "nondistributable" in layer.media_type
            return f"layer {index}" + (" (kept elsewhere by its maker)" if elsewhere else "")
    return ""


def _name(entry: Descriptor) -> str:
    platform = str(entry.platform) if entry.platform is not None else ""
    return clean(platform) or entry.digest.short


def _incomplete(name: str, absent: str) -> Finding:
    return Finding(
        "IMG-PLATFORM-MISSING",
        Severity.WARNING,
        name,
        f"{name} is not whole here: {absent} is missing.",
        why="What is missing cannot be checked, encrypted or signed.",
        fix="Get the image again with all platforms and layers, or choose a platform.",
        checked=False,
    )


def _attestations(count: int) -> Finding:
    many = "1 attestation is" if count == 1 else f"{count} attestations are"
    return Finding(
        "IMG-ATTESTATION",
        Severity.INFO,
        "attestations",
        f"{many} left out.",
        why="An attestation names an image by its digest, which encryption changes.",
    )


def _artifact(entry: Descriptor) -> Finding:
    kind = clean(entry.media_type, limit=90)
    return Finding(
        "IMG-ARTIFACT",
        Severity.INFO,
        entry.digest.short,
        f"An artifact of type {kind} is left out.",
    )
