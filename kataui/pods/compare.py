"""A lock against what runs: the container that was pushed in, and what was changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kataui.files import clean
from kataui.findings import Finding, Severity, Verdict
from kataui.images.verdict import judge
from kataui.kata.manifest import list_at
from kataui.pods.lock import Lock, pod_value
from kataui.pods.model import Pod

_WORDS = {
    "kind": "kind",
    "command": "command",
    "arguments": "arguments",
    "working_dir": "working directory",
    "settings": "ports or security settings",
}


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs; ``added``, ``removed`` and ``changed`` are plain values for ``--json``."""

    verdict: Verdict
    sentence: str
    added: tuple[dict[str, Any], ...]
    removed: tuple[dict[str, Any], ...]
    changed: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """As the command line's ``--json`` prints it."""
        return {
            "verdict": self.verdict.value,
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": list(self.changed),
            "findings": [finding.as_json() for finding in self.findings],
        }


def compare(lock: Lock, pods: Sequence[Pod], signature: Finding) -> Compared:
    """Hold what runs against a lock; any difference is *fail*."""
    added: list[dict[str, Any]] = []
    removed: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    loose: list[Finding] = []
    for locked, found in _pairs(lock.pods, [pod_value(pod) for pod in pods]):
        before, after = _by_name(locked), _by_name(found)
        for name in (one for one in after if one not in before):
            if _is_expected(lock, after[name]):
                loose.append(_image_only(after[name]))
            else:
                added.append(_told(found, after[name]))
        removed += [_told(locked, before[name]) for name in before if name not in after]
        for name in before:
            if name in after:
                changed += _differences(found or {}, before[name], after[name])
                loose += _by_name_only(before[name], after[name])
        if locked and found:
            changed += _pod_differences(locked, found)
    findings = [*_findings(added, removed, changed), *loose, signature]
    verdict = judge(findings)
    counts = len(added), len(removed), len(changed)
    return Compared(
        verdict,
        _sentence(verdict, counts),
        tuple(added),
        tuple(removed),
        tuple(changed),
        tuple(findings),
    )


Side = Mapping[str, Any] | None


def _pairs(
    locked: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Side, Side]]:
    """Pods that belong together: the only ones, the same name, or one that was made from it."""
    if len(locked) == len(found) == 1:
        yield locked[0], found[0]
        return
    rest = list(found)
    for pod in locked:
        mates = [one for one in rest if one["kind"] == pod["kind"] and one["name"] == pod["name"]]
        made = [
            one
            for one in rest
            if one["kind"] == "Pod" and str(one["name"]).startswith(f"{pod['name']}-")
        ]
        mates = mates[:1] or made
        rest = [one for one in rest if all(one is not mate for mate in mates)]
        if not mates:
            yield pod, None
        for mate in mates:
            yield pod, mate
    for one in rest:
        yield None, one


def _by_name(pod: Side) -> dict[str, Mapping[str, Any]]:
    return {str(one["name"]): one for one in (pod or {}).get("containers", ())}


def _told(pod: Side, container: Mapping[str, Any]) -> dict[str, Any]:
    subject = str((pod or {}).get("subject", ""))
    return {"pod": subject, **{name: container.get(name) for name in ("name", "kind", "image")}}


def _is_expected(lock: Lock, container: Mapping[str, Any]) -> bool:
    """Whether a webhook was to add it: the name and the digest are those of the lock."""
    return any(
        container["digest"]
        and one.get("digest") == container["digest"]
        and container["name"] in list_at(one, ("names",))
        for one in lock.sidecars
    )


def _image_only(container: Mapping[str, Any]) -> Finding:
    name = clean(str(container["name"]), limit=80)
    message = f"{name} was added as the lock expects: it runs the image that was prepared."
    why = "Its command, variables and mounts were not known when the lock was made."
    subject = f"Container {name}"
    return Finding("LOCK-SIDECAR", Severity.WARNING, subject, message, why=why, checked=False)


def _differences(
    pod: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    place = {"pod": str(pod.get("subject", "")), "name": before["name"]}
    if before.get("digest") and after.get("digest"):
        if before["digest"] != after["digest"]:
            yield {**place, "what": "image", "locked": before["digest"], "found": after["digest"]}
    elif before["image"] != after["image"]:
        yield {**place, "what": "image", "locked": before["image"], "found": after["image"]}
    for name in _WORDS:
        if before.get(name) != after.get(name):
            yield {**place, "what": name, "locked": before.get(name), "found": after.get(name)}
    for what, old, new in (*_env(before, after), *_mounts(before, after)):
        yield {**place, "what": what, "locked": old, "found": new}


def _env(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Values are not told: the lock has their hashes only."""
    for name in sorted(before["env"].keys() | after["env"].keys()):
        if before["env"].get(name) != after["env"].get(name):
            old, new = ("set" if name in side["env"] else None for side in (before, after))
            yield f"env {name}", old, new


def _mounts(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    yield from (("mount", one, None) for one in before["mounts"] if one not in after["mounts"])
    yield from (("mount", None, one) for one in after["mounts"] if one not in before["mounts"])


def _pod_differences(
    locked: Mapping[str, Any], found: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    for name in ("runtime_class", "initdata"):
        if locked.get(name) != found.get(name):
            place = {"pod": str(found.get("subject", "")), "name": "", "what": name}
            yield {**place, "locked": locked.get(name), "found": found.get(name)}


def _by_name_only(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    """Only a digest on both sides tells that it is the same image."""
    if not (before.get("digest") and after.get("digest")) and before["image"] == after["image"]:
        name = clean(str(before["name"]), limit=80)
        side = "the lock" if not before.get("digest") else "what was found"
        message = f"The image was compared by its name only: {side} has no digest."
        yield Finding("LOCK-DIGEST", Severity.WARNING, f"Container {name}", message)


def _findings(
    added: Sequence[Mapping[str, Any]],
    removed: Sequence[Mapping[str, Any]],
    changed: Sequence[Mapping[str, Any]],
) -> Iterator[Finding]:
    for one in added:
        name = clean(str(one["name"]), limit=80)
        message = (
            f"The {one['kind']} container {name} was pushed in; it runs {_shown(one['image'])}."
        )
        why = "It is not in the lock. Whoever pushed it in sees what the pod's other containers do."
        yield Finding("LOCK-ADDED", Severity.ERROR, f"Container {name}", message, why=why)
    for one in removed:
        name = clean(str(one["name"]), limit=80)
        message = f"The container {name} is in the lock, but not there."
        yield Finding("LOCK-REMOVED", Severity.ERROR, f"Container {name}", message)
    for one in changed:
        name = clean(str(one["name"]), limit=80)
        subject = f"Container {name}" if name else clean(str(one["pod"]))
        what = _WORDS.get(str(one["what"]), str(one["what"]).replace("_", " "))
        message = f"Its {clean(what, limit=120)} changed{_from_to(one)}."
        yield Finding("LOCK-CHANGED", Severity.ERROR, subject, message)


def _from_to(one: Mapping[str, Any]) -> str:
    if str(one["what"]) == "settings":
        return ""
    return f" from {_shown(one['locked'])} to {_shown(one['found'])}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("path") or value.get("digest")
    if isinstance(value, list):
        value = " ".join(map(str, value))
    return clean(str(value), limit=160) if value else "nothing"


def _sentence(verdict: Verdict, counts: tuple[int, int, int]) -> str:
    if not any(counts):
        told = {
            Verdict.PASS: "Exactly what the lock says runs.",
            Verdict.UNKNOWN: "No difference was found, but not all could be checked.",
            Verdict.FAIL: "No difference was found, but the lock's signature is not valid.",
        }
        return told[verdict]
    words = [
        f"{count} {word}"
        for count, word in zip(counts, ("pushed in", "missing", "changed"), strict=True)
        if count
    ]
    return f"What runs is not what is in the lock: {', '.join(words)}."
