"""Which class a pod asks for, and whether it can be given."""

import difflib
from collections.abc import Iterator

from kataui.findings import Finding
from kataui.kata import classes
from kataui.kata.manifest import Document, Path, mapping_at, text_at
from kataui.kata.pods import PodPlace
from kataui.kata.quantities import QuantityError, parse_bytes, parse_cpus
from kataui.kata.rules.scene import (
    ERROR,
    INFO,
    WARNING,
    Kind,
    Scene,
    finding,
    is_hole,
    kind_of,
)

_KEY = "runtimeClassName"
_ARCH = "kubernetes.io/arch"
_LOOK = "kubectl get runtimeclass tells which there are."


def check_place(place: PodPlace, scene: Scene) -> Iterator[Finding]:
    """The class of a pod, and what must fit to it."""
    if _KEY in place.spec:
        yield from _named(place, place.spec[_KEY], scene)
    yield from _overhead(place)
    if kind_of(place.runtime_class) is Kind.KATA:
        yield from _selector(place)


def name_findings(
    place: PodPlace | Document, path: Path, name: object, scene: Scene
) -> Iterator[Finding]:
    """What there is to say about the name of a class, wherever it stands."""
    if name is None or name == "":
        yield finding(
            "K-EMPTY",
            ERROR,
            place,
            path,
            "The runtime class is empty.",
            why="The API server takes no empty name; where it is dropped, the pod shares the "
            "kernel of its node.",
            fix=f"{_KEY}: {classes.DEFAULT}\nor take the key away.",
        )
    elif not isinstance(name, str) or (not is_hole(name) and not classes.is_valid_name(name)):
        yield finding(
            "K-CLASS-3",
            ERROR,
            place,
            path,
            "The runtime class is no name that Kubernetes takes.",
            why="Names of classes are lower case letters, digits, - and . only.",
            fix=f"{_KEY}: {classes.DEFAULT}",
        )
    elif is_hole(name):
        yield finding(
            "K-HOLE",
            WARNING,
            place,
            path,
            "The runtime class is filled in later.",
            why="What depends on the class was not checked.",
            fix="Check the file again once it is filled in.",
            checked=False,
        )
    elif name not in scene.made:
        yield from _known(place, path, name)


def _named(place: PodPlace, name: object, scene: Scene) -> Iterator[Finding]:
    yield from name_findings(place, (*place.path, _KEY), name, scene)


def _known(place: PodPlace | Document, path: Path, name: str) -> Iterator[Finding]:
    if name in classes.RETIRED:
        yield finding(
            "K-CLASS-1",
            ERROR,
            place,
            path,
            f"Kata no longer has the class {name}.",
            why=f"A pod with a class that is not there is refused. {classes.RETIRED[name]}",
            fix=f"{_KEY}: {classes.DEFAULT}",
        )
    elif name == "kata":
        yield finding(
            "K-CLASS-2",
            WARNING,
            place,
            path,
            "A class called kata is there only where somebody made it.",
            why="kata-deploy makes it only with runtimeClasses.createDefault: true; OpenShift and "
            "some others make their own.",
            fix=f"{_KEY}: {classes.DEFAULT}\nor keep it if it is there: {_LOOK}",
        )
    elif classes.is_kata(name) and _looks_misspelt(name):
        yield _misspelt(place, path, name)
    elif not classes.is_kata(name):
        yield finding(
            "K-CLASS-4",
            INFO,
            place,
            path,
            f"Whether the class {name} is Kata cannot be told from its name.",
            why="What holds only for Kata was not checked.",
            fix=f"kubectl get runtimeclass {name} -o jsonpath='{{.handler}}'",
            checked=False,
        )


def _looks_misspelt(name: str) -> bool:
    """No class of kata-deploy, or one letter off: a suffix of an installation is longer."""
    known = classes.find(name)
    if known is None or known.exact:
        return known is None
    return bool(difflib.get_close_matches(name, classes.CLASSES, n=1, cutoff=0.96))


def _misspelt(place: PodPlace | Document, path: Path, name: str) -> Finding:
    near = difflib.get_close_matches(name, classes.CLASSES, n=1, cutoff=0.75)
    maybe = f" Did you mean {near[0]}?" if near else ""
    return finding(
        "K-CLASS-1",
        WARNING,
        place,
        path,
        f"kata-deploy makes no class {name}.{maybe}",
        why=f"A pod with a class that is not there is refused. {_LOOK}",
        fix=f"{_KEY}: {near[0] if near else classes.DEFAULT}",
    )


def _overhead(place: PodPlace) -> Iterator[Finding]:
    given = place.spec.get("overhead")
    if not isinstance(given, dict):
        return
    known = classes.find(place.runtime_class)
    if known is None and kind_of(place.runtime_class) is not Kind.NONE:
        severity = WARNING
    else:
        severity = ERROR if known is None or not _same(given, known) else WARNING
    if known is not None and not known.exact and severity is ERROR:
        severity = WARNING
    yield finding(
        "K-OVERHEAD",
        severity,
        place,
        (*place.path, "overhead"),
        "The overhead is set by hand.",
        why="Admission sets it from the runtime class, and refuses a pod that says otherwise or "
        "has no class.",
        fix="Take the key overhead away.",
    )


def _same(given: dict[str, object], known: classes.RuntimeClass) -> bool:
    try:
        memory, cpus = parse_bytes(given.get("memory")), parse_cpus(given.get("cpu"))
    except QuantityError:
        return False
    return memory == known.memory_bytes and cpus == known.cpus


def _selector(place: PodPlace) -> Iterator[Finding]:
    selector = mapping_at(place.spec, ("nodeSelector",))
    path = (*place.path, "nodeSelector")
    label = selector.get(classes.NODE_LABEL)
    if label is not None and label != "true" and not is_hole(label):
        yield finding(
            "K-NODE",
            ERROR,
            place,
            (*path, classes.NODE_LABEL),
            f'The node label {classes.NODE_LABEL} must be the text "true".',
            why='The class adds it as "true"; another value is refused at admission. "false" marks '
            "a node on which Kata is not finished.",
            fix=f'{classes.NODE_LABEL}: "true"',
        )
    known = classes.find(place.runtime_class)
    arch = text_at(selector, (_ARCH,))
    if known and known.exact and arch and arch not in known.arches and not is_hole(arch):
        yield finding(
            "K-NODE",
            ERROR,
            place,
            (*path, _ARCH),
            f"{known.name} is not made for {arch}.",
            why=f"It is installed on {', '.join(known.arches)} only.",
            fix=f"{_ARCH}: {known.arches[0]}\nor take another class.",
        )
    if text_at(selector, ("kubernetes.io/os",)) == "windows":
        yield finding(
            "K-NODE",
            ERROR,
            place,
            (*path, "kubernetes.io/os"),
            "Kata runs on nodes with Linux only.",
            fix="kubernetes.io/os: linux",
        )


def check_class(document: Document) -> Iterator[Finding]:
    """A RuntimeClass object: what it charges for a handler of Kata."""
    handler = text_at(document.value, ("handler",))
    if not classes.is_kata(handler):
        return
    fixed = mapping_at(document.value, ("overhead", "podFixed"))
    known = classes.find(handler)
    if not fixed:
        yield finding(
            "K-RC",
            WARNING,
            document,
            ("overhead",),
            "The class charges nothing for the virtual machine.",
            why="The scheduler then fills nodes beyond their memory, and pods are killed.",
            fix=_overhead_lines(known),
        )
        return
    if known is None or not known.exact:
        return
    try:
        low = parse_bytes(fixed.get("memory")) < known.memory_bytes
    except QuantityError:
        low = True
    if low:
        yield finding(
            "K-RC",
            WARNING,
            document,
            ("overhead", "podFixed", "memory"),
            f"The class charges less than the {known.memory_bytes >> 20} MiB that {handler} takes.",
            why="Kata 4 raised the overhead of QEMU from 160 MiB; a pod's cgroup is as large as "
            "its limits and this.",
            fix=_overhead_lines(known),
        )


def _overhead_lines(known: classes.RuntimeClass | None) -> str:
    memory = (known.memory_bytes if known else 320 << 20) >> 20
    cpus = known.cpus if known else 0.25
    return f"overhead:\n  podFixed:\n    memory: {memory}Mi\n    cpu: {int(cpus * 1000)}m"
