"""What an estimate says in words: the verdict, six figures, and what each platform does."""

from collections.abc import Sequence
from dataclasses import dataclass

from kataui.files import count_text, size_text
from kataui.images.piles import Pile

_HERE = "a 0.2 s test on this computer, without its disk"


@dataclass(frozen=True, slots=True)
class Target:
    """What one platform does with images like this; ``opens`` is None where nothing is shut."""

    name: str
    opens: bool | None
    sentence: str
    source: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One number for people: value and unit, what it is, and where it comes from."""

    value: str
    unit: str
    what: str
    source: str


@dataclass(frozen=True, slots=True)
class Told:
    """The verdict in words; ``scope`` says what it leaves open."""

    verdict: str
    sentence: str
    scope: str


@dataclass(frozen=True, slots=True)
class Costs:
    """The numbers behind the figures, in bytes and seconds; ``images`` were looked at."""

    encrypted_bytes: int
    total_bytes: int
    took_s: float
    node_bytes: int
    nodes: int
    memory_bytes: int
    guessed_bytes: int
    start_s: float
    images: int


_SWAP = "Nothing proves who made the images: another one can be put in their place."
_TOLD = {
    ("none", False): Told("fail", "Anybody can read the images, and swap them unnoticed.", _SWAP),
    ("none", True): Told(
        "fail",
        "Anybody can read the images. A swap is noticed.",
        "The signature covers every layer, the base too; it hides nothing.",
    ),
    ("above-base", False): Told(
        "fail",
        "Your code is hidden, but a swapped image or base goes unnoticed.",
        _SWAP,
    ),
    ("above-base", True): Told(
        "warning",
        "Your code is hidden. A back-doored base would go unnoticed.",
        "The signature covers the whole image and shows a later swap; that the base was good to "
        "begin with is proved only if you pinned its digest when you built.",
    ),
    ("all", False): Told(
        "fail",
        "Nobody else can read the images, but they can be swapped unnoticed.",
        "An encrypted image proves nothing about who made it: a host may start a plain one.",
    ),
    ("all", True): Told(
        "pass",
        "Nobody else can read the images, and a swap is noticed.",
        "Whether the base was good when you built on it is not told by encryption.",
    ),
}
_NO_BASE = " Of {names} nobody can tell where the base ends: all of it is encrypted."


def verdict(layers: str, piles: Sequence[Pile], *, signed: bool) -> Told:
    """The verdict for "none", "above-base" or "all"."""
    told = _TOLD[layers, signed]
    if layers == "none" and any(layer.encrypted for pile in piles for layer in pile.layers):
        told = _shut_already(told, piles, signed=signed)
    unknown = [pile.name for pile in piles if not pile.base_known]
    if layers != "above-base" or not unknown:
        return told
    if len(unknown) == len(piles):
        return _TOLD["all", signed]
    return Told(told.verdict, told.sentence, told.scope + _NO_BASE.format(names=", ".join(unknown)))


def _shut_already(told: Told, piles: Sequence[Pile], *, signed: bool) -> Told:
    """Some images are encrypted as they are: what is said is about the others."""
    names = [pile.name for pile in piles if any(not layer.encrypted for layer in pile.layers)]
    if not names:
        return _TOLD["all", signed]
    shown = ", ".join(names)
    return Told(told.verdict, f"Anybody can read {shown}; the rest is encrypted.", told.scope)


def figures(costs: Costs, *, signed: bool, count: int) -> tuple[Figure, ...]:
    """Six figures, in the order in which they are read."""
    shut, unit = _split(size_text(costs.encrypted_bytes))
    total = size_text(costs.total_bytes)
    disk, disk_unit = _split(size_text(costs.node_bytes * costs.nodes))
    memory, memory_unit = _split(size_text(costs.memory_bytes))
    guessed = ""
    if costs.guessed_bytes:
        guessed = f"; {size_text(costs.guessed_bytes)} of it guessed as 2.5 times what is stored"
    return (
        Figure(shut, unit, f"encrypted, of {total}", "the sizes in the manifests"),
        Figure(
            seconds_text(costs.took_s), "s", "on this computer", f"encrypting and proof: {_HERE}"
        ),
        Figure(
            f"+{disk}",
            disk_unit,
            f"disk on {costs.nodes} nodes",
            f"digests of {count_text(costs.images, 'image')} here; what two share is kept twice",
        ),
        Figure(
            f"+{seconds_text(costs.start_s)}",
            "s",
            "pod start",
            f"opening in the guest: {_HERE}; each guest pulls its own copy, which comes on top",
        ),
        Figure(
            f"+{memory}",
            memory_unit,
            "guest memory at start",
            "the layers' own unpacked sizes: a guest unpacks an encrypted image into its memory"
            + guessed,
        ),
        Figure(str(count if signed else 0), f"of {count}", "images signed", "your choice"),
    )


def _split(text: str) -> tuple[str, str]:
    value, _, unit = text.partition(" ")
    return value, unit


def seconds_text(seconds: float) -> str:
    """Two digits that mean something: "0.04", "1.6", "120"."""
    if seconds < 0.005:
        return "0"
    if seconds < 0.1:
        return f"{seconds:.2f}"
    return f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"


def targets(*, partly: bool, encrypted: bool) -> tuple[Target, ...]:
    """What each platform does with such images."""
    if not encrypted:
        nothing = Target(
            "Every platform", None, "Every platform opens them, and so can anybody.", ""
        )
        return (nothing,)
    guest = Target(
        "CoCo guests",
        opens=True,
        sentence="CoCo guests open them, with the key of a key broker (kbs:).",
        source="guest-components, image-rs: each layer is judged by its own media type",
    )
    if partly:
        sandbox = "EKS sandbox refuses images that are only partly encrypted."
    else:
        sandbox = "EKS sandbox refuses only partly encrypted images; of these every layer is."
    return (
        guest,
        Target("EKS sandbox", not partly, sandbox, "AWS EKS sandbox, its documentation"),
        Target(
            "Contrast",
            opens=False,
            sentence="Contrast has no image encryption.",
            source="Edgeless Contrast, its documentation",
        ),
    )
