"""Where the base image ends, and which layers a person means.

Source: OCI image-spec v1.1, annotations.md (``base.name``, ``base.digest``); the numbering of
layers is that of ocicrypt and skopeo: 0 is the base, -1 the last.
"""

import re
from dataclasses import dataclass

from kataui.errors import ImageError
from kataui.files import clean
from kataui.images.history import clean_command
from kataui.images.model import Digest, Image
from kataui.images.open import open_source
from kataui.progress import Control

_BASE_NAME = "org.opencontainers.image.base.name"
_BASE_DIGEST = "org.opencontainers.image.base.digest"
_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)
_LAYER = re.compile(r"-?[0-9]{1,4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Base:
    """The layers 0 to ``count`` - 1 are the base image's; ``count`` is None when unknown.

    ``name`` is the base image's as somebody gave it, or empty; ``how`` tells people how this is
    known. ``guessed``: ``count`` is only a suggestion, and nothing is decided by it alone.
    """

    count: int | None
    name: str
    how: str
    guessed: bool = False


def find_base(image: Image, base: str = "", *, control: Control | None = None) -> Base:
    """Find the base of ``image``.

    ``base``: a number of layers; or a reference to the base image, whose diff_ids must be the
    first of the image's; or "" to look at annotations and history. Raises ``ImageError`` when
    what was given cannot be the base, and whatever ``open_source`` raises.
    """
    if _NUMBER.fullmatch(base):
        return _numbered(image, int(base))
    if base:
        return _compared(image, base, control)
    name = _annotated_name(image)
    count = _guess(image)
    if count is None:
        how = "named by an annotation, which does not tell its layers" if name else "unknown"
        return Base(None, name, how)
    how = "guessed from the history" + ("; named by an annotation" if name else "")
    return Base(count, name, how, guessed=True)


def select_layers(text: str, image: Image, base: Base) -> tuple[int, ...]:
    """The layers that "all", "above-base" or "0,2,-1" means, from 0, in ascending order.

    Raises ``ImageError`` for numbers out of range or given twice, for anything else, and for
    "above-base" when the base is unknown, only guessed or the whole image.
    """
    total = len(image.layers)
    if text == "all":
        return tuple(range(total))
    if text == "above-base":
        return _above(base, total)
    chosen: set[int] = set()
    for part in text.split(","):
        index = _layer_index(part.strip(), total)
        if index in chosen:
            raise ImageError(f"Layer {index} is given twice.", hint="-1 is the last layer.")
        chosen.add(index)
    return tuple(sorted(chosen))


def _layer_index(text: str, total: int) -> int:
    if not _LAYER.fullmatch(text):
        raise ImageError(
            f"{clean(text, limit=40)!r} is no layer.",
            hint="Write all, above-base, or numbers with commas: 0 is the base, -1 the last.",
        )
    index = int(text)
    if not -total <= index < total:
        raise ImageError(
            f"There is no layer {index}: the image has {total}.",
            hint=f"Layers are numbered 0 to {total - 1}." if total else "",
        )
    return index % total


def _above(base: Base, total: int) -> tuple[int, ...]:
    if base.count is None:
        raise ImageError(
            "Where the base image ends is not known.",
            hint="Give --base with the base image or its number of layers, or choose --layers all.",
        )
    if base.guessed:
        raise ImageError(
            f"Where the base image ends is only guessed: after {base.count} of {total} layers.",
            hint=f"If that is right, give --base {base.count}; else --layers all is safe.",
        )
    if base.count >= total:
        raise ImageError("There are no layers above the base.", hint="Choose --layers all.")
    return tuple(range(base.count, total))


def _numbered(image: Image, count: int) -> Base:
    total = len(image.layers)
    if count > total:
        raise ImageError(f"The base cannot have {count} layers: the image has {total}.")
    return Base(count, "", "given as a number")


def _compared(image: Image, reference: str, control: Control | None) -> Base:
    shown = clean(reference)
    have = _diff_ids(image)
    with open_source(reference, control=control) as source:
        known = [_diff_ids(other) for other in source.images]
    fitting = [ids for ids in known if ids and have[: len(ids)] == ids]
    if not fitting:
        raise ImageError(
            f"{shown} is not the base of this image: their layers differ.",
            hint="Give the exact version that the image was built from, or a number of layers.",
        )
    return Base(max(map(len, fitting)), shown, f"its first layers are those of {shown}")


def _diff_ids(image: Image) -> tuple[Digest, ...]:
    return tuple(layer.diff_id for layer in image.layers)


def _annotated_name(image: Image) -> str:
    name = image.annotations.get(_BASE_NAME, "")
    digest = image.annotations.get(_BASE_DIGEST, "")
    pinned = f"{name}@{digest}" if name and digest and "@" not in name else name or digest
    return clean(pinned)


def _guess(image: Image) -> int | None:
    """The layers before the last ``CMD`` that further layers follow.

    The published base images end with CMD, which adds no layer; what is built on them follows.
    """
    made = 0
    found: int | None = None
    last: int | None = None
    for line in image.config.history:
        if not line.empty_layer:
            made += 1
            found = last
        elif clean_command(line.created_by).startswith("CMD ") and made:
            last = made
    return found if made == len(image.layers) else None
