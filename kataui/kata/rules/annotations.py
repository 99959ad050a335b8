"""Annotations that change the virtual machine: which are taken, and which give the host away.

Source: kata-containers 4.1.0, ``enable_annotations`` of the configuration templates, and
docs/how-to/how-to-set-sandbox-config-kata.md: a hypervisor's key that is not allowed makes the
sandbox fail.
"""

from collections.abc import Iterator

from kataui.findings import Finding
from kataui.kata import classes, initdata, systems
from kataui.kata.manifest import list_at, mapping_at, text_at
from kataui.kata.pods import PodPlace
from kataui.kata.rules.scene import ERROR, WARNING, Scene, finding, on_kata

_HYPERVISOR = "io.katacontainers.config.hypervisor."
_PREFIX = "io.katacontainers."
_ALWAYS = frozenset(("enable_iommu", "kernel_params", "kernel_verity_params"))
_RUST = frozenset(("default_vcpus", "default_memory"))
_COCO = frozenset(("cc_init_data",))
_DANGEROUS = frozenset(
    ("virtio_fs_extra_args", "virtio_fs_daemon", "path", "ctlpath", "jailer_path", "kernel")
) | frozenset(("image", "initrd", "firmware", "entropy_source", "file_mem_backend"))
_POLICY = "io.katacontainers.config.agent.policy"
_LEGACY = "agent.aa_kbc_params"


def check_place(place: PodPlace, _scene: Scene) -> Iterator[Finding]:
    """Annotations of a pod on Kata."""
    if not on_kata(place):
        return
    known = classes.find(place.runtime_class)
    allowed = set(_ALWAYS)
    if known is None or known.runtime != "go":
        allowed |= _RUST
    if known is None or known.tee:
        allowed |= _RUST | _COCO
    for name, value in place.annotations.items():
        if name.startswith(_HYPERVISOR):
            yield from _hypervisor(place, name, allowed)
            if name.endswith(".kernel_params") and _LEGACY in str(value):
                yield _legacy(place, name)
        elif name == _POLICY:
            yield _host_policy(place, name)
    if initdata.ANNOTATION in place.annotations:
        yield from _initdata(place, known)


def _hypervisor(place: PodPlace, name: str, allowed: set[str]) -> Iterator[Finding]:
    key = name.removeprefix(_HYPERVISOR)
    if key in _DANGEROUS:
        yield _dangerous(place, name, key)
    elif key not in allowed:
        yield finding(
            "K-ANN-1",
            WARNING,
            place,
            place.annotation_path(name),
            f"The annotation {key} is not among those that {place.runtime_class} allows.",
            why="Unless an administrator allowed it, the pod does not start.",
            fix="Allow it in kata-deploy: shims.NAME.allowedHypervisorAnnotations, or take it "
            "away.",
        )


def _dangerous(place: PodPlace, name: str, key: str) -> Finding:
    return finding(
        "K-ANN-2",
        ERROR,
        place,
        place.annotation_path(name),
        f"The annotation {key} would give the pod power over its node.",
        why="It names programs, files or arguments that the node runs. It must never be allowed.",
        fix="Take it away; what is needed belongs into the class's configuration.",
    )


def _legacy(place: PodPlace, name: str) -> Finding:
    return finding(
        "K-COCO-4",
        WARNING,
        place,
        place.annotation_path(name),
        "The key broker is named in the kernel's parameters, the old way.",
        why="Guests of today read it from initdata, which the hardware measures.",
        fix="Put the address into initdata: aa.toml and cdh.toml.",
    )


def _host_policy(place: PodPlace, name: str) -> Finding:
    return finding(
        "K-COCO-5",
        WARNING,
        place,
        place.annotation_path(name),
        "The agent's policy comes from the host, and nothing measures it.",
        why="A host that is not trusted may leave it out or change it.",
        fix="Put policy.rego into initdata.",
    )


def _initdata(place: PodPlace, known: classes.RuntimeClass | None) -> Iterator[Finding]:
    path = place.annotation_path(initdata.ANNOTATION)
    text = place.annotations[initdata.ANNOTATION]
    try:
        told = initdata.from_annotation(str(text))
    except initdata.InitdataProblem as error:
        yield finding(
            "K-COCO-1",
            ERROR,
            place,
            path,
            f"The guest cannot read its initdata. {error.message}",
            fix=error.hint or "base64 of gzip of the TOML text.",
        )
        return
    for problem in initdata.problems(told, known.tee if known else ""):
        yield finding(
            "K-COCO-1",
            ERROR,
            place,
            path,
            f"Initdata: {problem}",
            why="The guest refuses it, or the key broker sees another digest.",
            fix='version = "0.1.0"' if "version" in problem else "",
        )


def check_values(scene: Scene) -> Iterator[Finding]:
    """Annotations that kata-deploy is told to allow."""
    for document, at, values in scene.values:
        for shim, settings in mapping_at(values, ("shims",)).items():
            listed = list_at(settings, ("allowedHypervisorAnnotations",))
            for number, key in enumerate(listed):
                if key in _DANGEROUS:
                    where = (*at, "shims", shim, "allowedHypervisorAnnotations", number)
                    yield finding(
                        "K-ANN-2",
                        ERROR,
                        document,
                        where,
                        f"Allowing the annotation {key} gives pods power over their node.",
                        why="It names programs, files or arguments that the node runs.",
                        fix="Take it away.",
                        subject=text_at(settings, ("name",)) or systems.KATA_DEPLOY,
                    )
