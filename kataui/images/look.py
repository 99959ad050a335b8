"""A first look at an image, from its manifests alone: what the window shows at once."""

from dataclasses import dataclass

from kataui.findings import Finding
from kataui.images.inspect import Base, LayerRow, find_base, layer_rows, readable_facts
from kataui.images.model import Config
from kataui.images.open import open_source
from kataui.images.source import Transport
from kataui.progress import Control

TRANSPORT_NAMES = {
    Transport.OCI: "OCI layout",
    Transport.OCI_ARCHIVE: "OCI archive",
    Transport.DOCKER_ARCHIVE: "docker archive",
    Transport.DIR: "dir: image",
}


@dataclass(frozen=True, slots=True)
class PlatformLook:
    """One platform: its layers, base, configuration, and what can be read of it by anybody."""

    platform: str
    size_bytes: int
    rows: tuple[LayerRow, ...]
    base: Base
    config: Config
    readable: tuple[Finding, ...]

    @property
    def is_encrypted(self) -> bool:
        """Whether any layer is."""
        return any(row.encrypted for row in self.rows)


@dataclass(frozen=True, slots=True)
class Look:
    """What was opened, without its blobs."""

    reference: str
    transport: Transport
    tag: str
    digest: str
    platforms: tuple[PlatformLook, ...]
    findings: tuple[Finding, ...]

    @property
    def network(self) -> str:
        """What network was used, or nothing."""
        return " ".join(item.message for item in self.findings if item.id == "IMG-NETWORK")


def look(reference: str, control: Control, *, base: str = "") -> Look:
    """Open an image, read its manifests, close it; raises what ``open_source`` raises."""
    with open_source(reference, control=control) as source:
        platforms = []
        for image in source.images:
            known = find_base(image, base)
            platforms.append(
                PlatformLook(
                    str(image.config.platform),
                    image.size_bytes,
                    layer_rows(image, known),
                    known,
                    image.config,
                    readable_facts(image),
                )
            )
        return Look(
            source.reference,
            source.transport,
            source.tag,
            str(source.root.digest),
            tuple(platforms),
            source.findings,
        )
