"""Two images side by side: layers, recipients, signatures, configuration and files.

The verdict answers one question: does the same run? How it is packed (encryption, compression,
signatures, build times) is told and does not matter to it.
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kataui.errors import ImageError
from kataui.findings import Finding, Severity, Verdict, by_severity
from kataui.images.comparefacts import (
    FileChange,
    LayerPair,
    LayerSide,
    Setting,
    State,
    file_changes,
    settings,
)
from kataui.images.keys import KeyRing
from kataui.images.layerfiles import FileEntry, Lister, merged
from kataui.images.layerproof import LayerEvidence, check_layer
from kataui.images.layerwriter import Meter
from kataui.images.model import Image, Layer
from kataui.images.recipients import list_recipients
from kataui.images.signatures import Evidence, PublicKey, check_signature, find_signatures
from kataui.images.source import Source
from kataui.images.verdict import judge, layer_findings
from kataui.progress import Control


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two images: as it was named, its digest, and its signatures."""

    reference: str
    digest: str
    signatures: tuple[Evidence, ...]

    def as_json(self) -> dict[str, Any]:
        """The members of ``--json``."""
        signatures = [
            {"status": item.status.value, "identity": item.identity, "key": item.key}
            for item in self.signatures
        ]
        return {"reference": self.reference, "digest": self.digest, "signatures": signatures}


@dataclass(frozen=True, slots=True)
class Compared:
    """One platform of both; ``files`` is None when they could not be, or need not be, listed.

    ``why_no_files`` says why. No difference in files that were listed is an empty tuple.
    """

    platform: str
    layers: tuple[LayerPair, ...]
    settings: tuple[Setting, ...]
    files: tuple[FileChange, ...] | None
    why_no_files: str = ""

    def as_json(self) -> dict[str, Any]:
        """The members of ``--json``."""
        return {
            "platform": self.platform,
            "layers": [pair.as_json() for pair in self.layers],
            "settings": [item.as_json() for item in self.settings],
            "files": None if self.files is None else [item.as_json() for item in self.files],
            "why_no_files": self.why_no_files,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing found; ``sentence`` is the verdict for people."""

    verdict: Verdict
    sentence: str
    a: Side
    b: Side
    platforms: tuple[Compared, ...]
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """What ``kataui image compare --json`` prints."""
        return {
            "verdict": self.verdict.value,
            "sentence": self.sentence,
            "a": self.a.as_json(),
            "b": self.b.as_json(),
            "platforms": [item.as_json() for item in self.platforms],
            "findings": [finding.as_json() for finding in self.findings],
        }


def compare(
    a: Source,
    b: Source,
    *,
    ring: KeyRing,
    public_keys: Sequence[PublicKey] = (),
    control: Control,
) -> Comparison:
    """Read both images and hold one against the other; nothing is written.

    ``ring`` opens encrypted layers. Platforms are matched by their names; a single image on each
    side is matched whatever its platform. Raises ``Cancelled`` and errors of the storage.
    """
    matched = _matched(a, b)
    reader = _Reader(ring, control, sum(len(x.layers) + len(y.layers) for x, y in matched))
    platforms = tuple(_compared(reader, (a, one), (b, other)) for one, other in matched)
    sides = (_side(a, public_keys), _side(b, public_keys))
    found = [*reader.damage, *_alone(a, b, matched), *_packing(platforms, sides)]
    for item in platforms:
        found += _differences(item)
    verdict = judge(found)
    findings = tuple(by_severity(dict.fromkeys(found)))
    return Comparison(verdict, _sentence(verdict, findings, sides), *sides, platforms, findings)


def _matched(a: Source, b: Source) -> list[tuple[Image, Image]]:
    if len(a.images) == len(b.images) == 1:
        return [(a.images[0], b.images[0])]
    others = {str(image.config.platform): image for image in b.images}
    return [
        (image, others[name])
        for image in a.images
        if (name := str(image.config.platform)) in others
    ]


def _alone(a: Source, b: Source, matched: list[tuple[Image, Image]]) -> Iterator[Finding]:
    seen = {id(image) for pair in matched for image in pair}
    for letter, source in (("A", a), ("B", b)):
        for image in source.images:
            if id(image) not in seen:
                message = f"Only {letter} has an image for {image.config.platform}."
                yield Finding("IMG-CMP-PLATFORM", Severity.ERROR, letter, message)


def _side(source: Source, keys: Sequence[PublicKey]) -> Side:
    targets = tuple(dict.fromkeys((source.root.digest, *(i.digest for i in source.images))))
    checked = (check_signature(found, targets, keys, "") for found in find_signatures(source))
    return Side(source.reference, str(source.root.digest), tuple(checked))


class _Reader:
    """Reads each layer once, however often it occurs in the two images."""

    def __init__(self, ring: KeyRing, control: Control, count: int) -> None:
        self._ring, self._control = ring, control
        self._meter, self._number = Meter(control, "Reading", count), 0
        self._seen: dict[Any, tuple[LayerEvidence, tuple[FileEntry, ...] | None]] = {}
        self.damage: list[Finding] = []

    def read(
        self, source: Source, layer: Layer, *, files: bool
    ) -> tuple[LayerEvidence, tuple[FileEntry, ...] | None]:
        """The evidence, and the layer's files when they are wanted and can be read."""
        self._number += 1
        kind = layer.descriptor.media_type
        key = (layer.descriptor.digest, layer.diff_id, kind, source.reference, files)
        if key not in self._seen:
            self._seen[key] = self._read(source, layer, files=files)
        return self._seen[key]

    def _read(
        self, source: Source, layer: Layer, *, files: bool
    ) -> tuple[LayerEvidence, tuple[FileEntry, ...] | None]:
        lister = Lister() if files else None
        try:
            evidence = check_layer(
                source.blobs,
                layer,
                self._ring,
                on_bytes=self._meter.step(self._number, layer.descriptor.size_bytes),
                control=self._control,
                content=lister,
            )
        finally:
            if lister is not None:
                lister.close()
        for item in layer_findings(source, evidence):
            self.damage.append(replace(item, message=f"{source.reference}: {item.message}"))
        if lister is None or not evidence.diff_ok:
            return evidence, None
        try:
            return evidence, lister.entries()
        except ImageError as error:
            self.damage.append(
                Finding("IMG-LAYER", Severity.ERROR, source.reference, error.message)
            )
            return evidence, None


def _compared(reader: _Reader, one: tuple[Source, Image], other: tuple[Source, Image]) -> Compared:
    pairs = _aligned(one[1].layers, other[1].layers)
    differ = any(state in {"removed", "added"} for state, _, _ in pairs)
    read = [
        {layer.index: reader.read(source, layer, files=differ) for layer in image.layers}
        for source, image in (one, other)
    ]
    layers = tuple(
        LayerPair(state, _layer_side(a, read[0]), _layer_side(b, read[1])) for state, a, b in pairs
    )
    known = str(one[1].config.platform)
    files, why = _files(read) if differ else (None, "All layers are the same.")
    return Compared(known, layers, settings(one[1], other[1]), files, why)


_Read = dict[int, tuple[LayerEvidence, tuple[FileEntry, ...] | None]]


def _layer_side(layer: Layer | None, read: _Read) -> LayerSide | None:
    if layer is None:
        return None
    evidence = read[layer.index][0]
    known = list_recipients(layer.descriptor.annotations) if layer.encrypted else ()
    return LayerSide(
        layer.index,
        layer.descriptor.digest,
        layer.diff_id,
        layer.descriptor.size_bytes,
        layer.encrypted,
        tuple(f"{info.scheme}: {info.name}" for info in known),
        checked=evidence.digest_ok and bool(evidence.diff_ok),
    )


def _aligned(
    a: Sequence[Layer], b: Sequence[Layer]
) -> list[tuple[State, Layer | None, Layer | None]]:
    """The layers side by side, those with the same diff_id beside each other."""
    ids_of_a, ids_of_b = ([layer.diff_id.hex for layer in side] for side in (a, b))
    found: list[tuple[State, Layer | None, Layer | None]] = []
    matcher = difflib.SequenceMatcher(a=ids_of_a, b=ids_of_b, autojunk=False)
    for tag, start_a, end_a, start_b, end_b in matcher.get_opcodes():
        if tag == "equal":
            for one, other in zip(a[start_a:end_a], b[start_b:end_b], strict=True):
                same = one.descriptor.digest == other.descriptor.digest
                found.append(("same" if same else "repacked", one, other))
            continue
        found += [("removed", layer, None) for layer in a[start_a:end_a]]
        found += [("added", None, layer) for layer in b[start_b:end_b]]
    return found


def _files(read: Sequence[_Read]) -> tuple[tuple[FileChange, ...] | None, str]:
    listed = []
    for letter, side in zip("AB", read, strict=True):
        layers = [files for _, files in side.values()]
        whole = [files for files in layers if files is not None]
        if len(whole) < len(layers):
            missing = len(layers) - len(whole)
            layer = "layer" if missing == 1 else "layers"
            return None, f"{missing} {layer} of {letter} cannot be read here."
        listed.append(merged(whole))
    return file_changes(*listed), ""


def _differences(item: Compared) -> Iterator[Finding]:
    """What makes the same not run, and what could not be seen."""
    yield from _layer_differences(item)
    runs = [setting.name for setting in item.settings if setting.runs]
    others = [setting.name for setting in item.settings if not setting.runs]
    if runs:
        message = f"The configuration differs: {_names(runs)}."
        yield Finding("IMG-CMP-CONFIG", Severity.ERROR, item.platform, message)
    if others:
        message = f"Not run, but different: {_names(others)}."
        yield Finding("IMG-CMP-NOTES", Severity.INFO, item.platform, message)


def _layer_differences(item: Compared) -> Iterator[Finding]:
    differ = [pair for pair in item.layers if pair.state in {"removed", "added"}]
    unsure = [p for p in item.layers if p.state == "repacked" and not p.certain]
    if unsure:
        yield Finding(
            "IMG-CMP-UNCHECKED",
            Severity.WARNING,
            item.platform,
            f"{_count(len(unsure), 'layer')} said to be the same, but not read.",
            why="The diff_id in a configuration is a promise until the layer is opened.",
            fix="Give a private key that opens it with --key.",
            checked=False,
        )
    if item.files:
        message = f"{_count(len(item.files), 'file')} of the running container differ."
        yield Finding("IMG-CMP-FILES", Severity.ERROR, item.platform, message)
    elif differ and item.files is None:
        message = f"{_count(len(differ), 'layer')} differ. The files were not compared."
        yield Finding("IMG-CMP-LAYERS", Severity.ERROR, item.platform, message, item.why_no_files)
    elif differ:
        yield Finding(
            "IMG-CMP-LAYERS",
            Severity.WARNING,
            item.platform,
            "The layers differ, yet every file is the same (times aside).",
            why="Built again, squashed, or cut into layers differently.",
        )


def _packing(platforms: Iterable[Compared], sides: Sequence[Side]) -> Iterator[Finding]:
    """What does not matter to what runs, but to who can read it and whom it is from."""
    for item in platforms:
        both = [(p.a, p.b) for p in item.layers if p.a is not None and p.b is not None]
        shut = [b.index for a, b in both if b.encrypted and not a.encrypted]
        opened = [b.index for a, b in both if a.encrypted and not b.encrypted]
        others = [b.index for a, b in both if a.encrypted and b.encrypted and _readers(a, b)]
        for layers, text in (
            (shut, "encrypted only in B"),
            (opened, "encrypted only in A"),
            (others, "encrypted for others"),
        ):
            if layers:
                message = f"{_count(len(layers), 'layer')} {text}."
                yield Finding("IMG-CMP-ENCRYPTION", Severity.INFO, item.platform, message)
    names = [{(x.identity, x.key, x.status) for x in side.signatures} for side in sides]
    if names[0] != names[1]:
        told = " and ".join(
            f"{_count(len(side.signatures), 'signature')} with {letter}"
            for letter, side in zip("AB", sides, strict=True)
        )
        yield Finding("IMG-CMP-SIGNATURES", Severity.INFO, "Signatures", f"{told}.")


def _readers(a: LayerSide, b: LayerSide) -> bool:
    return a.recipients != b.recipients


def _sentence(verdict: Verdict, findings: Sequence[Finding], sides: Sequence[Side]) -> str:
    if verdict is Verdict.FAIL:
        worst = next(f for f in findings if f.severity is Severity.ERROR and f.checked)
        return f"Not the same. {worst.message}"
    if verdict is Verdict.UNKNOWN:
        return "No difference was seen in what runs, but not everything could be read."
    if sides[0].digest == sides[1].digest:
        return "The very same image: one digest."
    return "The same runs; only how it is packed differs."


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
