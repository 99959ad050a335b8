"""The layer table of an image: what each layer is, whose it is, and who can open it."""

from dataclasses import dataclass
from typing import Literal

from kataui.files import clean
from kataui.images.base import Base, find_base, select_layers
from kataui.images.facts import readable_facts
from kataui.images.history import clean_command, short_name
from kataui.images.leaks import mask_text
from kataui.images.model import Image, Layer
from kataui.images.recipients import RecipientInfo, list_recipients

__all__ = [
    "Base",
    "LayerRow",
    "Origin",
    "find_base",
    "layer_rows",
    "readable_facts",
    "select_layers",
]

Origin = Literal["base", "own", "unknown"]


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One line of the layer table; all texts are fit to show.

    ``name`` says in a few words what the layer is, ``command`` is the whole history line without
    the shell around it, likely secrets masked. ``schemes`` are those of the recipients, each once;
    ``recipients`` tells them as far as the annotations do, and is empty for a layer that is not
    encrypted.
    """

    index: int
    size_bytes: int
    media_type: str
    name: str
    command: str
    origin: Origin
    encrypted: bool
    schemes: tuple[str, ...]
    recipients: str


def layer_rows(image: Image, base: Base) -> tuple[LayerRow, ...]:
    """The layers from the base up; where the base ends may be a guess (``base.guessed``)."""
    return tuple(_row(layer, base) for layer in image.layers)


def _row(layer: Layer, base: Base) -> LayerRow:
    known = list_recipients(layer.descriptor.annotations) if layer.encrypted else ()
    return LayerRow(
        index=layer.index,
        size_bytes=layer.descriptor.size_bytes,
        media_type=clean(layer.descriptor.media_type, limit=120),
        name=short_name(layer.command, layer.index),
        command=mask_text(clean_command(layer.command)),
        origin=_origin(layer.index, base),
        encrypted=layer.encrypted,
        schemes=tuple(dict.fromkeys(str(info.scheme) for info in known)),
        recipients=", ".join(dict.fromkeys(map(_shown, known))),
    )


def _shown(info: RecipientInfo) -> str:
    return f"{info.name} ({info.detail})" if info.detail else info.name


def _origin(index: int, base: Base) -> Origin:
    if base.count is None:
        return "unknown"
    return "base" if index < base.count else "own"
