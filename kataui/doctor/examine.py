"""Looking at this computer, and telling it."""

import json
from collections.abc import Iterator, Sequence

import kataui
from kataui.doctor import host, programs, window
from kataui.doctor.model import Ability, Group, Part, Places, State

_MARKS = {State.HERE: "yes", State.LIMITED: "part", State.MISSING: "no", State.UNKNOWN: "?"}


def examine(places: Places | None = None) -> tuple[Part, ...]:
    """Every part, by group. Only reads, uses no network, and takes some seconds at most.

    Programs are asked for their versions, Qt in a process of its own.
    """
    found = (*window.parts(), *host.parts(places or Places()), *programs.parts())
    order = list(Group)
    return tuple(sorted(found, key=lambda part: order.index(part.group)))


def complete(parts: Sequence[Part]) -> bool:
    """Whether all that kataui itself needs is here."""
    return all(part.state is not State.MISSING for part in parts if part.group is Group.NEEDED)


def abilities(parts: Sequence[Part]) -> tuple[Ability, ...]:
    """What can be done here, in words."""
    state = {part.id: part.state for part in parts}

    def lacking(name: str, text: str) -> str:
        return text if state.get(name) in {State.MISSING, State.UNKNOWN} else ""

    limited = state.get("rights") is State.LIMITED
    return (
        Ability("Encrypt, sign and prove images", lacking("entropy", "no randomness yet")),
        Ability("Read and push to registries", lacking("skopeo", "needs skopeo")),
        Ability("Build from a Containerfile", lacking("buildah", "needs buildah")),
        Ability("Watch this host live", "needs root to see other users" if limited else ""),
        Ability("Watch other hosts", lacking("ssh", "needs ssh")),
        Ability("Apply to a cluster", lacking("kubectl", "needs kubectl")),
        Ability("Run Kata's virtual machines", lacking("kvm", "no KVM here")),
    )


def as_json(parts: Sequence[Part]) -> str:
    """One JSON document."""
    value = {"version": kataui.__version__, "complete": complete(parts)}
    document = {**value, "parts": [part.as_json() for part in parts]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_text(parts: Sequence[Part]) -> str:
    """For people, and for a report of a defect."""
    return "\n".join(_lines(parts)) + "\n"


def _lines(parts: Sequence[Part]) -> Iterator[str]:
    yield f"kataui {kataui.__version__}"
    for group in Group:
        yield ""
        yield group.value
        for part in parts:
            if part.group is group:
                yield f"  {_MARKS[part.state]:<5} {part.title}: {part.found}"
                if part.state is not State.HERE:
                    yield f"        For: {part.purpose} Without it: {part.without}"
                    if part.fix:
                        yield f"        {part.fix}"
