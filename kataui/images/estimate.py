"""What encrypting costs and leaves open, for some images at once: figures with where they are from.

Sources: guest-components #65 and confidential-containers #133 (each guest pulls and unpacks its own
copy); the documentation of the AWS EKS sandbox (it refuses images of which only some layers are
encrypted); kataui's own speed here, and the digests of the images given.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kataui.images import estimatewords as words
from kataui.images.piles import Pile, PileLayer, select
from kataui.images.speed import Speed

DEFAULT_NODES = 50


class Strength(StrEnum):
    """The three stops of the handle; the values are those of ``--layers``, and ``none``."""

    NOTHING = "none"
    ABOVE_BASE = "above-base"
    EVERYTHING = "all"


STOPS = tuple(Strength)


@dataclass(frozen=True, slots=True)
class Estimate:
    """One stop of the handle.

    Sizes are in bytes, times in seconds. ``encrypted_bytes`` of ``total_bytes`` as stored;
    ``node_bytes`` is what each of ``nodes`` holds more because encrypted layers are not shared;
    ``memory_bytes`` what a guest holds of unpacked images. ``verdict`` is "pass", "warning" or
    "fail". ``selected`` are the layers of each pile that are encrypted then.
    """

    strength: Strength
    signed: bool
    verdict: str
    sentence: str
    scope: str
    encrypted_bytes: int
    total_bytes: int
    took_s: float
    node_bytes: int
    nodes: int
    memory_bytes: int
    start_s: float
    figures: tuple[words.Figure, ...]
    targets: tuple[words.Target, ...]
    selected: tuple[frozenset[int], ...] = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """As ``kataui image estimate --json`` prints it."""
        return {
            "layers": self.strength.value,
            "signed": self.signed,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "encrypted_bytes": self.encrypted_bytes,
            "total_bytes": self.total_bytes,
            "seconds": round(self.took_s, 3),
            "nodes": self.nodes,
            "node_disk_bytes": self.node_bytes,
            "guest_memory_bytes": self.memory_bytes,
            "start_seconds": round(self.start_s, 3),
            "sources": {one.what: one.source for one in self.figures},
            "platforms": [
                {"name": one.name, "opens": one.opens, "why": one.sentence, "source": one.source}
                for one in self.targets
            ],
        }


def estimate(
    piles: Sequence[Pile],
    strength: Strength,
    *,
    signed: bool,
    speed: Speed,
    nodes: int = DEFAULT_NODES,
    beside: Sequence[Pile] = (),
) -> Estimate:
    """What a stop of the handle means for ``piles``, each image once.

    ``beside`` are other images that nodes hold, which may share layers with them. Layers that are
    encrypted already stay so, and cost no time any more.
    """
    chosen = tuple(_chosen(pile, strength) for pile in piles)
    shut, costs = _costs(piles, chosen, speed, nodes, beside)
    partly = [0 < len(some) < len(pile.layers) for pile, some in zip(piles, chosen, strict=True)]
    told = words.verdict(strength.value, piles, signed=signed)
    return Estimate(
        strength=strength,
        signed=signed,
        verdict=told.verdict,
        sentence=told.sentence,
        scope=told.scope,
        encrypted_bytes=costs.encrypted_bytes,
        total_bytes=costs.total_bytes,
        took_s=costs.took_s,
        node_bytes=costs.node_bytes,
        nodes=nodes,
        memory_bytes=costs.memory_bytes,
        start_s=costs.start_s,
        figures=words.figures(costs, signed=signed, count=len(piles)),
        targets=words.targets(partly=any(partly), encrypted=bool(shut)),
        selected=chosen,
    )


def _costs(
    piles: Sequence[Pile],
    chosen: Sequence[frozenset[int]],
    speed: Speed,
    nodes: int,
    beside: Sequence[Pile],
) -> tuple[list[PileLayer], words.Costs]:
    """The layers that are encrypted then, and what that costs."""
    shut = [layer for _, layer, encrypted in _layers(piles, chosen) if encrypted]
    fresh = sum(layer.size_bytes for layer in shut if not layer.encrypted)
    encrypted = sum(layer.size_bytes for layer in shut)
    held = [pile for pile, some in zip(piles, chosen, strict=True) if some]
    return shut, words.Costs(
        encrypted_bytes=encrypted,
        total_bytes=sum(pile.size_bytes for pile in piles),
        took_s=fresh / speed.encrypt_bytes_per_s + fresh / speed.open_bytes_per_s,
        node_bytes=_lost(piles, chosen, beside),
        nodes=nodes,
        memory_bytes=sum(pile.unpacked_bytes for pile in held),
        guessed_bytes=sum(pile.guessed_bytes for pile in held),
        start_s=encrypted / speed.open_bytes_per_s,
        images=len(piles) + len(beside),
    )


def _chosen(pile: Pile, strength: Strength) -> frozenset[int]:
    already = {layer.index for layer in pile.layers if layer.encrypted}
    return select(pile, strength.value) | already


def _layers(
    piles: Sequence[Pile], chosen: Sequence[frozenset[int]]
) -> Iterator[tuple[int, PileLayer, bool]]:
    """Each layer with its pile's number, and whether it is encrypted then."""
    for number, (pile, some) in enumerate(zip(piles, chosen, strict=True)):
        for layer in pile.layers:
            yield number, layer, layer.index in some


def _lost(piles: Sequence[Pile], chosen: Sequence[frozenset[int]], beside: Sequence[Pile]) -> int:
    """What a node holds more: a blob that is shared now gets a copy for each image that shuts it.

    A node keeps a blob once, by its digest (containerd's and CRI-O's content stores).
    """
    known = {layer.digest: layer.size_bytes for pile in beside for layer in pile.layers}
    before = known | {layer.digest: layer.size_bytes for pile in piles for layer in pile.layers}
    after: dict[object, int] = dict(known.items())
    for number, layer, encrypted in _layers(piles, chosen):
        fresh = encrypted and not layer.encrypted
        after[(number, layer.index) if fresh else layer.digest] = layer.size_bytes
    return sum(after.values()) - sum(before.values())
