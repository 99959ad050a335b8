"""Where CI systems describe the pods of their jobs.

Sources: tekton.dev v1 (PipelineRun.spec.taskRunTemplate, TaskRun.spec.podTemplate); Argo Workflows
v1alpha1 (podSpecPatch); gha-runner-scale-set chart; GitLab runner's config.toml; Jenkins
kubernetes plugin; Woodpecker's backend options; Buildkite agent-stack-k8s; CircleCI container
runner; Prow's jobs; Shipwright SHIP-0040; kata-deploy.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kataui.kata import systems
from kataui.kata.embedded import Embedded, Role, embedded
from kataui.kata.manifest import Document, Path, list_at, mapping_at, text_at, value_at
from kataui.kata.pods import KUBERNETES, PodPlace, pods_in

_MAX_NESTING = 3


def everything_in(document: Document) -> Iterator[PodPlace]:
    """All pods of a document: Kubernetes' own, those of CI systems, and those inside strings."""
    for one in expanded(document):
        yield from places_in(one)


def expanded(document: Document, depth: int = 0) -> Iterator[Document]:
    """A document, and the documents inside its strings."""
    yield document
    if depth < _MAX_NESTING:
        for inner in embedded(document):
            yield from expanded(inner, depth + 1)


def places_in(document: Document) -> Iterator[PodPlace]:
    """The pods of a document, without those inside its strings."""
    if isinstance(document, Embedded) and document.role not in (Role.VALUES, Role.TOML):
        yield from _of_string(document)
        return
    system = systems.system_of(document)
    if system == KUBERNETES:
        yield from pods_in(document)
        return
    finder = _FINDERS.get(system)
    if finder is not None:
        yield from finder(document)
    elif mapping_at(document.value, ("items",)) or list_at(document.value, ("items",)):
        yield from pods_in(document)


def place(
    document: Document, path: Path, system: str, *, kind: str = "", name: str = "", **more: Any
) -> Iterator[PodPlace]:
    """The place at a path when there is a mapping that says something."""
    spec = value_at(document.value, path)
    if isinstance(spec, dict) and spec:
        annotations = mapping_at(document.value, (*path[:-1], "metadata", "annotations"))
        namespace = text_at(document.value, ("metadata", "namespace"))
        yield PodPlace(
            document,
            path,
            spec,
            kind or document.kind or system,
            name or document.name,
            annotations,
            system,
            namespace,
            **more,
        )


def argo_base(document: Document) -> Path:
    """Where a workflow's own spec is."""
    return ("spec", "workflowSpec") if document.kind == "CronWorkflow" else ("spec",)


def _of_string(document: Embedded) -> Iterator[PodPlace]:
    system = _SYSTEM_OF_ROLE.get(document.role) or systems.system_of(document.outer)
    if document.role in (Role.PATCH, Role.DEFAULTS):
        name = document.outer.name
        yield from place(document, (), system, kind="pod patch", name=name, whole=False)
    elif document.role is Role.HOOK:
        yield from place(document, ("spec",), system, kind="hook template", whole=False)
    elif document.role is Role.OBJECT:
        whole = system != systems.JENKINS  # its plugin adds the agent's container
        yield from place(document, ("spec",), system, kind="Pod", whole=whole)


_SYSTEM_OF_ROLE = {Role.HOOK: systems.ARC, Role.DEFAULTS: systems.TEKTON}


def tekton_templates(document: Document) -> Iterator[Path]:
    """Where the pod templates of a run are, also of runs that triggers make."""
    for at, kind in tekton_objects(document):
        if kind == "PipelineRun":
            yield (*at, "spec", "taskRunTemplate", "podTemplate")
            yield (*at, "spec", "podTemplate")
            specs = list_at(document.value, (*at, "spec", "taskRunSpecs"))
            for number in range(len(specs)):
                for key in ("podTemplate", "taskPodTemplate"):
                    yield (*at, "spec", "taskRunSpecs", number, key)
        elif kind in ("TaskRun", "CustomRun"):
            yield (*at, "spec", "podTemplate")


def tekton_objects(document: Document) -> Iterator[tuple[Path, str]]:
    """(path, kind) of the object itself, or of those in a TriggerTemplate."""
    if document.kind == "TriggerTemplate":
        for number, inner in enumerate(list_at(document.value, ("spec", "resourcetemplates"))):
            yield ("spec", "resourcetemplates", number), text_at(inner, ("kind",))
    else:
        yield (), document.kind


def _tekton(document: Document) -> Iterator[PodPlace]:
    inherited = ""
    for path in tekton_templates(document):
        for found in place(document, path, systems.TEKTON, whole=False):
            inherited = inherited or found.runtime_class
            yield found
    for at, kind in tekton_objects(document):
        for path in _tekton_tasks(document, at, kind):
            yield from place(document, path, systems.TEKTON, inherited=inherited)


def _tekton_tasks(document: Document, at: Path, kind: str) -> Iterator[Path]:
    """Where steps are."""
    if kind in ("Task", "ClusterTask"):
        yield (*at, "spec")
    elif kind == "TaskRun":
        yield (*at, "spec", "taskSpec")
    bases = {"Pipeline": (*at, "spec"), "PipelineRun": (*at, "spec", "pipelineSpec")}
    base = bases.get(kind)
    if base is not None:
        for group in ("tasks", "finally"):
            for number in range(len(list_at(document.value, (*base, group)))):
                yield (*base, group, number, "taskSpec")


def _argo(document: Document) -> Iterator[PodPlace]:
    base = argo_base(document)
    general = argo_class(document)
    for number, template in enumerate(list_at(document.value, (*base, "templates"))):
        if isinstance(template, dict):
            own = _patch_class(document, (*base, "templates", number)) or general
            name = text_at(template, ("name",)) or document.name
            path = (*base, "templates", number)
            yield from place(
                document, path, systems.ARGO, kind="template", name=name, inherited=own
            )


def argo_class(document: Document) -> str:
    """The class of a whole workflow."""
    return _patch_class(document, argo_base(document))


def _patch_class(document: Document, base: Path) -> str:
    path = (*base, "podSpecPatch")
    if not text_at(document.value, path):
        return ""
    for inner in embedded(document):
        if isinstance(inner, Embedded) and inner.path == path:
            return text_at(inner.value, ("runtimeClassName",))
    return ""


def _arc(document: Document) -> Iterator[PodPlace]:
    if document.kind == "Runner":
        yield from place(document, ("spec",), systems.ARC, whole=False)
        return
    base: Path = ("spec",) if document.kind else ()
    yield from place(document, (*base, "template", "spec"), systems.ARC, whole=False)


def _gitlab(document: Document) -> Iterator[PodPlace]:
    """The runner's pods as a pod's spec would say it; the TOML's own keys stand in the rules."""
    for number, runner in enumerate(list_at(document.value, ("runners",))):
        settings = mapping_at(runner, ("kubernetes",))
        if settings:
            name = text_at(runner, ("name",)) or str(number)
            path: Path = ("runners", number, "kubernetes")
            runtime_class = settings.get("runtime_class_name")
            inherited = runtime_class if isinstance(runtime_class, str) else ""
            yield PodPlace(
                document,
                path,
                {},
                "runner",
                name,
                system=systems.GITLAB,
                whole=False,
                inherited=inherited,
            )


def _woodpecker(document: Document) -> Iterator[PodPlace]:
    for path, step in systems.steps_of(document.mapping):
        name = text_at(step, ("name",)) or str(path[-1])
        where = (*path, "backend_options", "kubernetes")
        yield from place(document, where, systems.WOODPECKER, kind="step", name=name, whole=False)


def _buildkite(document: Document) -> Iterator[PodPlace]:
    for path, step in systems.steps_of(document.mapping):
        for number, plugin in enumerate(list_at(step, ("plugins",))):
            for name in plugin if isinstance(plugin, dict) else ():
                if str(name).startswith("kubernetes"):
                    for key in ("podSpecPatch", "podSpec"):
                        where = (*path, "plugins", number, name, key)
                        yield from place(
                            document, where, systems.BUILDKITE, kind="step", whole=False
                        )


def _circleci(document: Document) -> Iterator[PodPlace]:
    for name in mapping_at(document.value, ("agent", "resourceClasses")):
        path: Path = ("agent", "resourceClasses", name, "spec")
        yield from place(document, path, systems.CIRCLECI, kind="resource class", name=name)


def _prow(document: Document) -> Iterator[PodPlace]:
    if document.kind == "ProwJob":
        yield from place(document, ("spec", "pod_spec"), systems.PROW)
        return
    for group in ("presubmits", "postsubmits"):
        for repository in mapping_at(document.value, (group,)):
            yield from _prow_jobs(document, (group, repository))
    yield from _prow_jobs(document, ("periodics",))


def _prow_jobs(document: Document, path: Path) -> Iterator[PodPlace]:
    for number, job in enumerate(list_at(document.value, path)):
        name = text_at(job, ("name",))
        where = (*path, number, "spec")
        yield from place(document, where, systems.PROW, kind="job", name=name)


def _one(path: Path, system: str, kind: str) -> Callable[[Document], Iterator[PodPlace]]:
    def find(document: Document) -> Iterator[PodPlace]:
        yield from place(document, path, system, kind=kind, whole=False)

    return find


_FINDERS: Mapping[str, Callable[[Document], Iterator[PodPlace]]] = {
    systems.TEKTON: _tekton,
    systems.ARGO: _argo,
    systems.ARC: _arc,
    systems.GITLAB: _gitlab,
    systems.WOODPECKER: _woodpecker,
    systems.BUILDKITE: _buildkite,
    systems.BUILDKITE_STACK: _one(
        ("config", "pod-spec-patch"), systems.BUILDKITE_STACK, "pod-spec-patch"
    ),
    systems.CIRCLECI: _circleci,
    systems.PROW: _prow,
    systems.SHIPWRIGHT: _one(("spec",), systems.SHIPWRIGHT, ""),
}
