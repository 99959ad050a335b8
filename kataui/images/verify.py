"""The verdict about an image, with its evidence (design, "Verdict of an image")."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from kataui.findings import Finding, Severity, Verdict, by_severity
from kataui.images import verdict
from kataui.images.keys import KeyRing
from kataui.images.layerproof import ImageEvidence, LayerEvidence, check_layer
from kataui.images.layerwriter import Meter
from kataui.images.model import Digest
from kataui.images.recipients import list_recipients
from kataui.images.signatures import Evidence, PublicKey, check_signature, find_signatures
from kataui.images.source import Source, Transport
from kataui.progress import Control


@dataclass(frozen=True, slots=True)
class Report:
    """What verifying found; ``sentence`` is the verdict for people."""

    verdict: Verdict
    sentence: str
    digest: Digest
    images: tuple[ImageEvidence, ...]
    signatures: tuple[Evidence, ...]
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """The members that the command line promises, and ``platform`` for an index."""
        return {
            "verdict": self.verdict.value,
            "digest": str(self.digest),
            "layers": [_layer_json(item, layer) for item in self.images for layer in item.layers],
            "signatures": [
                {
                    "status": signature.status.value,
                    "digest": str(signature.digest) if signature.digest else None,
                    "identity": signature.identity,
                    "form": signature.form.value,
                    "reason": signature.reason,
                }
                for signature in self.signatures
            ],
            "findings": [finding.as_json() for finding in self.findings],
        }


def _layer_json(item: ImageEvidence, evidence: LayerEvidence) -> dict[str, Any]:
    descriptor = evidence.layer.descriptor
    return {
        "index": evidence.layer.index,
        "digest": str(descriptor.digest),
        "media_type": descriptor.media_type,
        "encrypted": descriptor.encrypted,
        "recipients": [
            {"scheme": info.scheme.value, "name": info.name, "detail": info.detail}
            for info in list_recipients(descriptor.annotations)
        ],
        "platform": str(item.image.config.platform),
        "size": descriptor.size_bytes,
        "opened_by": list(evidence.opened_by),
    }


def verify(
    source: Source,
    *,
    public_keys: Sequence[PublicKey] = (),
    ring: KeyRing,
    identity: str = "",
    require: frozenset[verdict.Need] = verdict.BOTH,
    control: Control,
) -> Report:
    """Read everything that ``source`` holds and judge it; nothing is written.

    Raises ``Cancelled`` and errors of the storage; everything wrong with the image itself is a
    finding in the report.
    """
    images = _check_layers(source, ring, control)
    targets = tuple(dict.fromkeys((source.root.digest, *(i.digest for i in source.images))))
    signatures = tuple(
        check_signature(found, targets, public_keys, identity) for found in find_signatures(source)
    )
    facts = verdict.Facts(source, images, signatures, bool(public_keys), bool(ring.names), require)
    findings = tuple(by_severity((*_opening(source, require), *verdict.findings(facts))))
    answer = verdict.judge(findings)
    sentence = verdict.sentence(facts, answer)
    return Report(answer, sentence, source.root.digest, images, signatures, findings)


def _opening(source: Source, require: frozenset[verdict.Need]) -> list[Finding]:
    """What was found on opening; a ``dir:`` copy of a signature has no more than the manifest."""
    only_signature = source.transport is Transport.DIR and verdict.Need.ENCRYPTED not in require
    if not only_signature:
        return list(source.findings)
    return [replace(item, severity=Severity.INFO) for item in source.findings]


def _check_layers(source: Source, ring: KeyRing, control: Control) -> tuple[ImageEvidence, ...]:
    """Check every layer of every platform; one that several platforms share is read once."""
    meter = Meter(control, "Checking", sum(len(image.layers) for image in source.images))
    seen: dict[tuple[Digest, Digest, str], LayerEvidence] = {}
    images = []
    number = 0
    for image in source.images:
        layers = []
        for layer in image.layers:
            number += 1
            known = (layer.descriptor.digest, layer.diff_id, layer.descriptor.media_type)
            if known not in seen:
                seen[known] = check_layer(
                    source.blobs,
                    layer,
                    ring,
                    on_bytes=meter.step(number, layer.descriptor.size_bytes),
                    control=control,
                )
            layers.append(replace(seen[known], layer=layer))
        images.append(ImageEvidence(image, tuple(layers)))
    return tuple(images)
