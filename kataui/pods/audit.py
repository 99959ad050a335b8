"""One verdict about pods: what runs, what is not covered, sorted by what an attacker gains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kataui.errors import Cancelled, KatauiError
from kataui.files import clean, count_text
from kataui.findings import Finding, Severity, Verdict, by_severity
from kataui.images.signatures import PublicKey
from kataui.images.verdict import judge
from kataui.kata import rules
from kataui.kata.manifest import Document
from kataui.pods import confidential, hostaccess
from kataui.pods.coverage import UNKNOWN, Coverage, Encrypted, Signed, cover
from kataui.pods.model import Container, Kind, Pod, repository_of, shown_image
from kataui.pods.read import pods_of
from kataui.pods.shelf import Shelf, Stored
from kataui.progress import Control

# What an attacker gains, most first: to run code of his own inside, then to read, then the rest.
_GAIN = (
    *("POD-EPHEMERAL", "POD-POLICY", "POD-IMGPOLICY", "POD-INITDATA", "POD-UNSIGNED"),
    *("POD-IMAGE", "POD-PIN", "POD-TWICE", "POD-INJECT", "POD-IDENTITY"),
    *("POD-CLASS", "POD-PLAIN", "POD-SECRET", "POD-HOST", "POD-LEGACY", "POD-NOIMG"),
)
NOT_KNOWN = (
    "what the host really runs, and whether the guest's image and firmware are genuine",
    "whether the key broker releases the keys for this initdata only",
    "what admission webhooks of the cluster change or add",
    "whether the key at the key broker is the one that encrypted the image",
    "whether a container is started more than once, or left out",
)
# What the findings POD-* say in the words of an audit
_TOLD = frozenset(("K-COCO-1", "K-COCO-2", "K-COCO-5", "K-IMG-1", "K-IMG-2"))
_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


@dataclass(frozen=True, slots=True)
class Audited:
    """A container and what is known of its image; ``in_policy`` is None where nobody can tell."""

    pod: Pod
    container: Container
    coverage: Coverage
    in_policy: bool | None

    def as_json(self) -> dict[str, Any]:
        """The members that the command line promises, and a few more."""
        return {
            "pod": self.pod.subject,
            "name": self.container.name,
            "kind": self.container.kind.value,
            "image": self.container.image,
            "pinned": self.container.pinned,
            "encrypted": self.coverage.encrypted.value,
            "signed": self.coverage.signed.value,
            "digest": self.coverage.digest or self.container.digest or None,
            "recipients": list(self.coverage.recipients),
            "guest_opens": self.coverage.guest_opens,
            "in_policy": self.in_policy,
        }


@dataclass(frozen=True, slots=True)
class Audit:
    """The verdict about all pods of some documents; ``scope`` tells how much was covered."""

    verdict: Verdict
    sentence: str
    scope: str
    pods: tuple[Pod, ...]
    containers: tuple[Audited, ...]
    findings: tuple[Finding, ...] = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """As the command line's ``--json`` prints it."""
        return {
            "verdict": self.verdict.value,
            "sentence": self.sentence,
            "containers": [one.as_json() for one in self.containers],
            "findings": [finding.as_json() for finding in self.findings],
            "not_known": list(NOT_KNOWN),
        }


class _Images:
    """Each image is read once, however many containers run it."""

    def __init__(self, shelf: Shelf, keys: Sequence[PublicKey], control: Control) -> None:
        self.shelf, self._keys, self._control = shelf, keys, control
        self._known: dict[str, Coverage | KatauiError] = {}

    def coverage(self, stored: Stored) -> Coverage:
        """Raises ``KatauiError`` when the image cannot be read."""
        if stored.reference not in self._known:
            try:
                self._known[stored.reference] = cover(stored.reference, self._keys, self._control)
            except Cancelled:
                raise
            except KatauiError as error:
                self._known[stored.reference] = error
        found = self._known[stored.reference]
        if isinstance(found, KatauiError):
            raise found
        return found


def audit(
    documents: Sequence[Document], shelf: Shelf, keys: Sequence[PublicKey], control: Control
) -> Audit:
    """Audit all pods of some documents against the images at hand. Raises ``KatauiError``."""
    pods = pods_of(documents)
    if not pods:
        raise KatauiError("There is no pod in it.", hint="Give a Pod, a Deployment, a Job ...")
    images = _Images(shelf, keys, control)
    said = (one for one in rules.check(documents) if one.id not in _TOLD)
    findings = [*shelf.findings, *said]
    containers = []
    for pod in pods:
        findings += [*confidential.check(pod), *hostaccess.check(pod)]
        for container in pod.containers:
            control.check()
            coverage, found = _looked_up(container, images)
            findings += [*found, *_uncovered(container, coverage, has_keys=bool(keys))]
            containers.append(
                Audited(pod, container, coverage, confidential.in_policy(pod, container))
            )
    ordered = tuple(by_severity(sorted(findings, key=_gain)))
    verdict = judge(ordered)
    told = _sentence(verdict, containers), _scope(containers)
    return Audit(verdict, *told, pods, tuple(containers), ordered)


def _gain(finding: Finding) -> int:
    return _GAIN.index(finding.id) if finding.id in _GAIN else len(_GAIN)


def _name(container: Container) -> str:
    return f"Container {clean(container.name, limit=80)}"


def _looked_up(container: Container, images: _Images) -> tuple[Coverage, list[Finding]]:
    """The image of a container, and why it is not known."""
    name, place = _name(container), container.location
    found = images.shelf.find(container)
    shown = shown_image(container.image)
    if not found:
        message = f"{shown} is not among the images here: nothing is known about it."
        fix = "Give the folder that has it with --images."
        missing = Finding(
            "POD-NOIMG", _WARNING, name, message, fix=fix, location=place, checked=False
        )
        return UNKNOWN, [missing]
    if len(found) > 1:
        named = ", ".join(clean(one.file_name) for one in found[:5])
        message = f"{shown} may be any of {named}: pin its digest."
        return UNKNOWN, [Finding("POD-TWICE", _ERROR, name, message, location=place)]
    stored = found[0]
    if container.pinned and container.digest not in stored.digests:
        message = f"What is here as {clean(stored.file_name)} is not the image that is pinned."
        return UNKNOWN, [Finding("POD-PIN", _ERROR, name, message, location=place)]
    try:
        return images.coverage(stored), []
    except Cancelled:
        raise
    except KatauiError as error:
        return UNKNOWN, [Finding("POD-IMAGE", _ERROR, name, error.message, location=place)]


def _uncovered(container: Container, coverage: Coverage, *, has_keys: bool) -> Iterator[Finding]:
    name, place = _name(container), container.location
    shown = shown_image(container.image)
    if not container.pinned:
        digest = f"@{coverage.digest}" if coverage.digest else ""
        message = f"{shown} is not pinned by its digest: whoever has the registry chooses."
        fix = f"Write {clean(container.image.partition('@')[0])}{digest or '@sha256:...'}."
        yield Finding("POD-PIN", _ERROR, name, message, fix=fix, location=place)
    for one in coverage.damage:
        yield Finding("POD-IMAGE", _ERROR, name, f"{shown}: {one.message}", location=place)
    yield from _encryption(container, coverage)
    if coverage.signed is Signed.MISSING and coverage.digest:
        message = f"{shown} is not signed: nothing proves who made it."
        fix = "Sign it with kataui image sign."
        yield Finding("POD-UNSIGNED", _ERROR, name, message, fix=fix, location=place)
    elif coverage.signed is Signed.INVALID:
        message = f"No signature of {shown} is valid for the given public keys."
        yield Finding("POD-UNSIGNED", _ERROR, name, message, location=place)
    elif coverage.signed is Signed.UNKNOWN and coverage.digest:
        reason = "its kind is not checked here" if has_keys else "no public key was given"
        message = f"The signatures of {shown} were not checked: {reason}."
        yield Finding("POD-UNSIGNED", _WARNING, name, message, location=place, checked=False)
    for key, identity in coverage.signers:
        if identity and repository_of(identity) != container.repository:
            message = f"{clean(key)} signed it for {clean(identity)}, not for this repository."
            yield Finding("POD-IDENTITY", _WARNING, name, message, location=place)


def _encryption(container: Container, coverage: Coverage) -> Iterator[Finding]:
    name, place = _name(container), container.location
    shown = shown_image(container.image)
    if coverage.encrypted is Encrypted.NONE:
        message = f"{shown} is not encrypted: anyone who gets it can read it."
        fix = "Protect it with kataui image protect."
        yield Finding("POD-PLAIN", _ERROR, name, message, fix=fix, location=place)
    elif coverage.encrypted is Encrypted.SOME:
        message = f"Only some layers of {shown} are encrypted."
        why = "A back-doored base goes unnoticed unless its digest is pinned and signed."
        yield Finding("POD-PLAIN", _WARNING, name, message, why=why, location=place)
    if coverage.guest_opens is False:
        message = f"A confidential guest cannot open {shown}: its key is not at a key broker."
        fix = "Encrypt it for a kbs: recipient."
        yield Finding("POD-PLAIN", _WARNING, name, message, fix=fix, location=place)


def _scope(containers: Sequence[Audited]) -> str:
    """How many are covered, and how many are not known here."""
    covered = sum(
        one.container.pinned
        and one.coverage.encrypted is Encrypted.ALL
        and one.coverage.signed is Signed.VALID
        for one in containers
    )
    away = sum(not one.coverage.digest for one in containers)
    told = f"{covered} of {count_text(len(containers), 'container')} pinned, encrypted and signed."
    return f"{told} The images of {away} are not here." if away else told


def _sentence(verdict: Verdict, containers: Sequence[Audited]) -> str:
    """What an attacker gains most from, in one sentence."""
    count = len(containers)
    if verdict is Verdict.PASS:
        return f"What runs is known: all of {count_text(count, 'container')} are covered."
    if verdict is Verdict.UNKNOWN:
        return "Not all that runs could be checked."
    readable = sum(one.coverage.encrypted is Encrypted.NONE for one in containers)
    unsigned = sum(one.coverage.signed in {Signed.MISSING, Signed.INVALID} for one in containers)
    loose = sum(not one.container.pinned for one in containers)
    parts = [
        _named([one for one in containers if one.container.kind is Kind.EPHEMERAL], "pushed in"),
        _named([one for one in containers if one.in_policy is False], "not in the policy"),
        f"{readable} of {count_text(count, 'image')} can be read by others" if readable else "",
        f"{count_text(unsigned, 'image')} without a signature that holds" if unsigned else "",
        f"{count_text(loose, 'image')} not pinned" if loose else "",
    ]
    said = [part for part in parts if part][:2]
    return f"{', and '.join(said)}." if said else "Not all that runs is covered."


def _named(containers: Sequence[Audited], what: str) -> str:
    names = [clean(one.container.name, limit=60) for one in containers]
    if not names:
        return ""
    if len(names) > 1:
        return f"{names[0]} and {len(names) - 1} more are {what}"
    return f"{names[0]} is {what}" if what != "pushed in" else f"{names[0]} was pushed in"
