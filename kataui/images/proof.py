"""The proof after protecting: what was written is opened again and held against the source."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kataui.files import count_text, size_text
from kataui.findings import Finding, Severity, Verdict, by_severity
from kataui.images.layerproof import LayerEvidence
from kataui.images.model import Layer
from kataui.images.signatures import Status
from kataui.images.source import Source
from kataui.images.transform import oci_layer_type
from kataui.images.verdict import judge
from kataui.images.verify import Report


class Held(StrEnum):
    """Whether one part of the proof holds."""

    YES = "yes"
    NO = "no"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the proof: a heading, what was done, and a count such as "4 of 4"."""

    title: str
    sentence: str
    count: str
    held: Held


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof as a whole; ``report`` is the verification of what was written."""

    verdict: Verdict
    sentence: str
    parts: tuple[Part, ...]
    report: Report
    findings: tuple[Finding, ...]


def prove(source: Source, report: Report, told: tuple[Finding, ...] = ()) -> Proof:
    """Hold a verification of what was written (read from disk) against the opened source.

    ``told`` are findings that were made before writing.
    """
    pairs = [
        (before, after)
        for image, item in zip(source.images, report.images, strict=True)
        for before, after in zip(image.layers, item.layers, strict=True)
    ]
    changed = tuple(_changes(source, report, pairs))
    findings = tuple(by_severity((*changed, *told, *report.findings)))
    verdict = judge(findings)
    parts = (
        _stranger(pairs),
        _keys(pairs),
        _unchanged(pairs, broken=bool(changed)),
        _unpacks(pairs),
        _signatures(report),
    )
    return Proof(verdict, _sentence(verdict, pairs, report), parts, report, findings)


_Pairs = list[tuple[Layer, LayerEvidence]]


def _changes(source: Source, report: Report, pairs: _Pairs) -> Iterator[Finding]:
    """What differs from the source: a configuration, or a layer's content."""
    for image, item in zip(source.images, report.images, strict=True):
        if image.config.raw != item.image.config.raw:
            message = "The configuration is not the one of the source."
            yield Finding("IMG-CHANGED", Severity.ERROR, "Configuration", message)
    for before, after in pairs:
        if not _same(before, after):
            message = f"Of the source, layer {before.index} is not what its digest says."
            yield Finding("IMG-CHANGED", Severity.ERROR, f"Layer {before.index}", message)


def _same(before: Layer, after: LayerEvidence) -> bool:
    """Whether a layer holds what went in, as far as it could be opened.

    What was encrypted must decrypt to the very bytes that the source's digest names. What was
    packed anew (zstd or tar to gzip) was hashed on reading, and must unpack to the same tar.
    """
    old, new = before.descriptor, after.layer.descriptor
    if oci_layer_type(old.plain_type) != new.plain_type:
        return after.diff_ok is not False
    if new.encrypted and not old.encrypted:
        return after.plain_digest in {None, old.digest}
    return new.digest == old.digest


def _encrypted(pairs: _Pairs) -> list[LayerEvidence]:
    return [after for _, after in pairs if after.layer.encrypted]


def _held(good: int, total: int, unchecked: int = 0) -> Held:
    if good + unchecked < total:
        return Held.NO
    return Held.NOT_CHECKED if unchecked or not total else Held.YES


def _stranger(pairs: _Pairs) -> Part:
    shut = _encrypted(pairs)
    good = sum(1 for item in shut if item.digest_ok and not item.reads_as)
    sentence = f"{_layers(len(shut))} opened again from disk; none reads as tar, gzip or zstd."
    return Part(
        "A stranger reads nothing", sentence, f"{good} of {len(shut)}", _held(good, len(shut))
    )


def _layers(count: int) -> str:
    return "The encrypted layer was" if count == 1 else f"The {count} encrypted layers were"


def _keys(pairs: _Pairs) -> Part:
    shut = _encrypted(pairs)
    opened = [item for item in shut if item.opened_by]
    names = list(dict.fromkeys(name for item in opened for name in item.opened_by))
    if not opened:
        sentence = "Not proved: the private key is not here."
        return Part("Your keys open it", sentence, f"0 of {len(shut)}", Held.NOT_CHECKED)
    every = all(set(item.opened_by) == set(names) for item in shut)
    sentence = f"{_and(names)} unwrapped {'every' if every else 'a'} layer's key."
    return Part(
        "Your keys open it",
        sentence,
        f"{len(opened)} of {len(shut)}",
        _held(len(opened), len(shut)),
    )


def _unchanged(pairs: _Pairs, *, broken: bool) -> Part:
    shut = _encrypted(pairs)
    checked = [item for item in shut if item.mac_ok is not None]
    read = size_text(sum(item.read_bytes for item in checked))
    sentence = "Decrypted again and compared with the source, byte for byte, with full HMAC."
    if not checked:
        sentence = "Not proved: without a private key nothing was decrypted."
    good = sum(1 for item in checked if item.mac_ok)
    held = Held.NO if broken else _held(good, len(shut), len(shut) - len(checked))
    return Part("Nothing was changed", sentence, read, held)


def _unpacks(pairs: _Pairs) -> Part:
    known = [after for _, after in pairs if after.diff_ok is not None]
    good = sum(1 for item in known if item.diff_ok)
    sentence = "Unpacked layers match the diff_ids in the configuration."
    held = _held(good, len(pairs), len(pairs) - len(known))
    return Part("It unpacks to the same files", sentence, f"{good} of {len(pairs)}", held)


def _signatures(report: Report) -> Part:
    good = sum(1 for item in report.signatures if item.status is Status.VALID)
    total = len(report.signatures)
    identity = report.signatures[0].identity if report.signatures else ""
    sentence = f"Over the digest that a cluster will pull, for {identity}."
    return Part("Your signature holds", sentence, f"{good} of {total}", _held(good, total))


def _sentence(verdict: Verdict, pairs: _Pairs, report: Report) -> str:
    if verdict is Verdict.FAIL:
        return "The proof failed, so nothing was kept: what was written is not what it should be."
    shut = _encrypted(pairs)
    names = {name for item in shut for name in item.opened_by}
    layers = count_text(len(shut), "encrypted layer")
    if verdict is Verdict.UNKNOWN and not names:
        return (
            f"Not proved: the private key is not here. The {layers} and the signature are written."
        )
    if verdict is Verdict.UNKNOWN:
        return report.sentence
    keys = "key" if len(names) == 1 else f"{len(names)} keys"
    return f"Proved: your {layers} open with your {keys}, and inside is exactly what you put in."


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
