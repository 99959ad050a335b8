"""Tekton: runs, trigger templates and the cluster's default pod template.

Source: tektoncd/pipeline, docs/podtemplates.md and pkg/apis/pipeline/v1 (PipelineRunSpec,
TaskRunSpec, TaskSpec): in v1 a PipelineRun's pod template is in ``taskRunTemplate``.
"""

from collections.abc import Iterator
from typing import Any

from kataui.findings import Finding, Severity
from kataui.kata.edits import Drop, Put
from kataui.kata.manifest import Document, Path, list_at, mapping_at, text_at, value_at
from kataui.pipelines.adopt.changes import YAML, Change, Inside
from kataui.pipelines.adopt.limits import inner_document, memory_changes
from kataui.pipelines.adopt.wish import Wish, class_change, class_edits, move, place_name

_WHY = (
    "Each task runs as a pod. The class gives it a kernel of its own; the label beside it keeps "
    "Tekton's affinity assistant, which does not know the class, on nodes that can run Kata."
)
_MISPLACED = (
    "In tekton.dev/v1 a PipelineRun has its pod template in taskRunTemplate. Where it is now the "
    "API refuses it or throws it away, and the tasks share the host's kernel."
)
_DEFAULTS = "default-pod-template"


def recognises(document: Document) -> bool:
    """Whether this is Tekton's."""
    api = document.api_version
    return api.startswith(("tekton.dev/", "triggers.tekton.dev/")) or _is_defaults(document)


def changes(document: Document, wish: Wish) -> Iterator[Change | Finding]:
    """What would have to change."""
    if _is_defaults(document):
        yield from _defaults(document, wish)
        return
    if document.kind in ("Task", "ClusterTask", "Pipeline", "StepAction"):
        yield from _task(document, wish)
        return
    for path, run in _runs(document):
        yield from _run(document, path, run, wish)


def _is_defaults(document: Document) -> bool:
    return document.kind == "ConfigMap" and document.name == "config-defaults"


def _runs(document: Document) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The runs in a document: itself, or what a trigger makes."""
    if document.kind in ("PipelineRun", "TaskRun"):
        yield (), document.mapping
    path: Path = ("spec", "resourcetemplates")
    for number, run in enumerate(list_at(document.value, path)):
        if isinstance(run, dict) and run.get("kind") in ("PipelineRun", "TaskRun"):
            yield (*path, number), run


def _run(
    document: Document, path: Path, run: dict[str, Any], wish: Wish
) -> Iterator[Change | Finding]:
    old: Path = (*path, "spec", "podTemplate")
    pipeline_v1 = run["kind"] == "PipelineRun" and run.get("apiVersion") == "tekton.dev/v1"
    right: Path = (*path, "spec", "taskRunTemplate", "podTemplate") if pipeline_v1 else old
    misplaced = pipeline_v1 and isinstance(value_at(document.value, old), dict)
    if misplaced:
        yield _moved(document, old, right, wish)
    else:
        change = class_change(document, right, wish, labels=True, why=_WHY, what="tasks' pods")
        if change:
            yield change
    for number, spec in enumerate(list_at(run, ("spec", "taskRunSpecs"))):
        own = text_at(spec, ("podTemplate", "runtimeClassName"))
        if own == "" and mapping_at(spec, ("podTemplate",)):
            place: Path = (*path, "spec", "taskRunSpecs", number, "podTemplate")
            change = class_change(document, place, wish, labels=True, why=_WHY, what="task's pod")
            if change:
                yield change
    for inner in (("spec", "taskSpec"), ("spec", "pipelineSpec")):
        if mapping_at(run, inner):
            yield from _steps(document, (*path, *inner), wish)


def _moved(document: Document, old: Path, right: Path, wish: Wish) -> Change:
    edits = list(move(document, old, right))
    here = {**mapping_at(document.value, old), **mapping_at(document.value, right)}
    if not here.get("runtimeClassName"):
        edits.append(Put(document.index, (*right, "runtimeClassName"), wish.runtime_class))
    for name, text in wish.node_labels.items():
        if name not in mapping_at(here, ("nodeSelector",)):
            edits.append(Put(document.index, (*right, "nodeSelector", name), text))
    line = document.line_of(old)
    return Change(
        f"{place_name(document, 'template')}-{line}",
        "Move the pod template to where Tekton reads it",
        _MISPLACED,
        line,
        tuple(edit for edit in edits if not isinstance(edit, Drop))
        + tuple(edit for edit in edits if isinstance(edit, Drop)),
    )


def _task(document: Document, wish: Wish) -> Iterator[Change | Finding]:
    yield from _steps(document, ("spec",), wish)
    if document.kind != "StepAction":
        yield Finding(
            "K-ADOPT-RUN",
            Severity.INFO,
            document.name,
            f"A {document.kind} does not say where it runs: its run does.",
            fix="Open the PipelineRun or TaskRun too, or set the cluster's default pod template.",
            location=document.location(("kind",)),
        )


def _steps(document: Document, spec: Path, wish: Wish) -> Iterator[Change | Finding]:
    """Memory limits of steps and sidecars, also of tasks that are written inside a pipeline."""
    for inner in ("steps", "sidecars"):
        for number, _ in enumerate(list_at(document.value, (*spec, inner))):
            for key in ("computeResources", "resources"):
                yield from memory_changes(document, (*spec, inner, number, key), wish)
    yield from memory_changes(document, (*spec, "stepTemplate", "computeResources"), wish)
    for group in ("tasks", "finally"):
        for number, task in enumerate(list_at(document.value, (*spec, group))):
            if mapping_at(task, ("taskSpec",)):
                yield from _steps(document, (*spec, group, number, "taskSpec"), wish)


def _defaults(document: Document, wish: Wish) -> Iterator[Change | Finding]:
    path: Path = ("data", _DEFAULTS)
    text = text_at(document.value, path)
    labels = wish.node_labels
    line = document.line_of(path)
    why = "It holds for every run that names no pod template of its own."
    if not text.strip():
        lines = [f"runtimeClassName: {wish.runtime_class}", "nodeSelector:"]
        lines += [f'  {name}: "{value}"' for name, value in labels.items()]
        edit = Put(document.index, path, "\n".join(lines) + "\n")
        title = "Give all tasks of the cluster a virtual machine"
        yield Change(place_name(document, "defaults"), title, why, line, (edit,))
        return
    inner = inner_document(text)
    edits = class_edits(inner, (), wish, labels=True) if inner else ()
    if edits:
        yield Change(
            place_name(document, "defaults"),
            "Give all tasks of the cluster a virtual machine",
            why,
            line,
            (Inside(document.index, path, YAML, edits),),
        )
