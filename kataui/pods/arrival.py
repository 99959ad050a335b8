"""The report of what arrived: checked piece by piece, image by image, and against the lock.

``arrival.json``, version 1, a format of ours: ``{"format": "kataui-arrival", "version": 1, "made",
"verdict", "sentence", "parcel": {"sha256", "date", "files", "size", "left_out"}, "checks":
[{"check", "held", "sentence"}], "not_checked": [...], "findings": [...]}``; ``arrival.html`` is
the same for people, one page without scripts.
"""

import datetime as dt
import hashlib
import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kataui.errors import Cancelled, IntegrityError, KatauiError
from kataui.files import clean, is_file, size_text, write_new
from kataui.findings import Finding, Severity, Verdict
from kataui.images.keys import KeyRing
from kataui.images.open import open_source, tags_in
from kataui.images.signatures import PublicKey
from kataui.images.simplesigning import blob_signature, is_signed_by
from kataui.images.verdict import Need, judge
from kataui.images.verify import verify
from kataui.pods.compare import compare
from kataui.pods.lock import check_signature, read_lock
from kataui.pods.parcellist import BUNDLE_NAME, LIST_NAME, Head, Listed
from kataui.pods.read import pods_of, read_file
from kataui.progress import Control

FORMAT, VERSION = "kataui-arrival", 1
_SIGNED = frozenset({Need.SIGNED})
_LAYOUT = "oci-layout"
NOT_CHECKED = (
    "whether the images open: private keys are never in a parcel",
    "what the packing side left out on purpose: keys/ and private keys",
    "who held the signing key",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what held, in a sentence."""

    name: str
    held: Verdict
    sentence: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """What was checked on arrival; the verdict is that of the findings."""

    verdict: Verdict
    sentence: str
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    parcel: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The report as it is written and printed."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "verdict": self.verdict.value,
            "sentence": self.sentence,
            "parcel": self.parcel,
            "checks": [
                {"check": one.name, "held": one.held.value, "sentence": one.sentence}
                for one in self.checks
            ],
            "not_checked": list(NOT_CHECKED),
            "findings": [finding.as_json() for finding in self.findings],
        }


class ArrivalFailed(IntegrityError):
    """What arrived is not what was signed; ``arrival`` tells all of it, nothing was written."""

    def __init__(self, arrival: Arrival) -> None:
        super().__init__(arrival.sentence, hint="Nothing was written; the parts are kept.")
        self.arrival = arrival


def list_signature(head: Head, keys: Sequence[PublicKey]) -> Finding:
    """Who signed the list, a note; not checked without a key. Raises ``IntegrityError``."""
    if not keys:
        message = "The parcel's signature was not checked: no public key was given."
        return _finding("PARCEL-SIGNATURE", Verdict.UNKNOWN, "Parcel", message)
    if not head.bundle:
        raise IntegrityError(
            "The parcel is not signed, so nothing proves who packed it.",
            hint="Pack it with --sign-key, or unpack it without --public-key.",
        )
    signature = blob_signature(head.bundle, what="signature of the parcel")
    for key in keys:
        if is_signed_by(key.key, signature, head.data):
            message = f"The parcel is signed by {clean(key.name)}."
            return _finding("PARCEL-SIGNATURE", Verdict.PASS, "Parcel", message)
    raise IntegrityError(
        "The parcel's signature is not valid for the given public keys.",
        hint="It was changed, or packed by somebody else. Nothing was unpacked.",
    )


def check(
    made: Path,
    head: Head,
    listed: Listed,
    signature: Finding,
    *,
    keys: Sequence[PublicKey],
    control: Control,
) -> Arrival:
    """Judge what was unpacked into ``made``, whose files are those of the list, and report.

    Writes arrival.json, arrival.html and the parcel's list into it. Raises ``ArrivalFailed``.
    """
    files = f"{len(listed.files)} files, {size_text(sum(e.size_bytes for e in listed.files))}"
    files = f"{files}: every size and SHA-256 is right."
    findings = [
        signature,
        _finding("PARCEL-FILES", Verdict.PASS, "Files", files),
        *_images(made, listed, keys, control),
        *_lock(made, keys),
    ]
    verdict = judge(findings)
    checks = tuple(Check(one.subject, held(one), one.message) for one in findings)
    parcel = {
        "sha256": hashlib.sha256(listed.data).hexdigest(),
        "date": listed.date,
        "files": len(listed.files),
        "size": listed.size_bytes,
        "left_out": len(listed.left_out),
    }
    found = Arrival(verdict, _sentence(verdict, findings), checks, tuple(findings), parcel)
    if verdict is Verdict.FAIL:
        raise ArrivalFailed(found)
    report = json.dumps(found.as_json(), indent=2, ensure_ascii=False).encode() + b"\n"
    written = {"arrival.json": report, "arrival.html": page(found).encode()}
    written |= {LIST_NAME: head.data}
    written |= {BUNDLE_NAME: head.bundle} if head.bundle else {}
    for name, data in written.items():
        write_new(made / name, data)
    return found


def held(finding: Finding) -> Verdict:
    """What a finding says as a verdict."""
    return judge([finding])


def _finding(id_: str, verdict: Verdict, subject: str, message: str) -> Finding:
    severity = {Verdict.PASS: Severity.INFO, Verdict.FAIL: Severity.ERROR}
    return Finding(
        id_,
        severity.get(verdict, Severity.WARNING),
        subject,
        message,
        checked=verdict is not Verdict.UNKNOWN,
    )


def _images(
    made: Path, listed: Listed, keys: Sequence[PublicKey], control: Control
) -> Iterator[Finding]:
    """Every image of every layout: its digests from the index down to each layer, and who signed.

    Whether it is encrypted is told by its owner's receipt, not here.
    """
    paths = [entry.path for entry in listed.files]
    folders = [p.removesuffix(_LAYOUT) for p in paths if p == _LAYOUT or p.endswith(f"/{_LAYOUT}")]
    for folder in folders:
        name = clean(folder.rstrip("/")) or "The folder"
        layout = made / folder
        try:
            for tag in tags_in(f"oci:{layout}", control=control) or [""]:
                reference = f"oci:{layout}:{tag}" if tag else f"oci:{layout}"
                with open_source(reference, control=control) as source:
                    report = verify(
                        source, public_keys=keys, ring=KeyRing(), require=_SIGNED, control=control
                    )
                whole = "" if report.verdict is Verdict.FAIL else "Every digest is right. "
                yield _finding("PARCEL-IMAGE", report.verdict, name, f"{whole}{report.sentence}")
        except Cancelled:
            raise
        except KatauiError as error:
            yield _finding("PARCEL-IMAGE", Verdict.FAIL, name, error.message)


def _lock(made: Path, keys: Sequence[PublicKey]) -> Iterator[Finding]:
    """The lock's own signature, and whether the manifest beside it is what it locks."""
    path, manifest = made / "podlock.json", made / "manifest.yaml"
    if not is_file(path):
        return
    try:
        lock = read_lock(path)
        signature = check_signature(lock, path, keys)
        yield signature
        if is_file(manifest):
            found = compare(lock, pods_of(read_file(manifest)), signature)
            same = not (found.added or found.removed or found.changed)
            message = "manifest.yaml is exactly what the lock says." if same else found.sentence
            verdict = Verdict.PASS if same else Verdict.FAIL
            yield _finding("PARCEL-LOCK", verdict, "Manifest", message)
    except KatauiError as error:
        yield _finding("PARCEL-LOCK", Verdict.FAIL, "Lock", error.message)


def _sentence(verdict: Verdict, findings: Sequence[Finding]) -> str:
    if verdict is Verdict.FAIL:
        wrong = next(one for one in findings if held(one) is Verdict.FAIL)
        return f"What arrived is not what was prepared. {wrong.subject}: {wrong.message}"
    if verdict is Verdict.UNKNOWN:
        return "All that was packed arrived whole, but not everything could be checked."
    return "All that was packed arrived whole, and is signed by the given key."


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What arrived</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}}
th{{text-align:left;vertical-align:top;padding:.3rem 1.5rem .3rem 0}}
td{{padding:.3rem 1.5rem .3rem 0;vertical-align:top;overflow-wrap:anywhere}}
</style></head><body><h1>What arrived</h1>
<p><b>{verdict}</b> {sentence}</p>
<h2>What was checked</h2><table>{checks}</table>
<h2>What was not checked</h2><ul>{not_checked}</ul>
<h2>The parcel</h2><table>{parcel}</table></body></html>
"""


def page(found: Arrival) -> str:
    """The report for people; every text from outside is escaped."""
    checks = "".join(
        f"<tr><th>{_esc(one.name)}</th><td>{one.held.value}</td><td>{_esc(one.sentence)}</td></tr>"
        for one in found.checks
    )
    parcel = "".join(
        f"<tr><th>{_esc(name)}</th><td>{_esc(value)}</td></tr>"
        for name, value in found.parcel.items()
    )
    return _PAGE.format(
        verdict=found.verdict.value.capitalize(),
        sentence=_esc(found.sentence),
        checks=checks,
        not_checked="".join(f"<li>{_esc(text)}</li>" for text in NOT_CHECKED),
        parcel=parcel,
    )


def _esc(text: object) -> str:
    return html.escape(clean(str(text), limit=2000))
