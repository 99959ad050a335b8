"""Argo Workflows: the class goes into ``podSpecPatch``, a YAML or JSON text.

Source: argoproj/argo-workflows, docs/fields.md (WorkflowSpec, ArtifactGC) and
workflow/controller/workflowpod.go: the workflow's patch first, then the template's.
"""

from collections.abc import Iterator

from kataui.findings import Finding, Severity
from kataui.kata.edits import Drop, Put
from kataui.kata.manifest import Document, Path, list_at, mapping_at, text_at, value_at
from kataui.pipelines.adopt.changes import YAML, Change, Edit, Inside
from kataui.pipelines.adopt.limits import inner_document, memory_changes
from kataui.pipelines.adopt.wish import Wish, class_edits, place_name

_KINDS = {
    "Workflow": ("spec",),
    "WorkflowTemplate": ("spec",),
    "ClusterWorkflowTemplate": ("spec",),
    "CronWorkflow": ("spec", "workflowSpec"),
}
_WHY = "Argo has no field for the class: podSpecPatch is laid over every pod of the workflow."
_WHY_GC = "The pods that remove artifacts are patched by their own field only."
_WHY_MISPLACED = "Argo ignores a class that stands here, without a word: the pods share the host."


def recognises(document: Document) -> bool:
    """Whether this is a workflow."""
    return document.api_version.startswith("argoproj.io/") and document.kind in _KINDS


def changes(document: Document, wish: Wish) -> Iterator[Change | Finding]:
    """What would have to change."""
    spec: Path = _KINDS[document.kind]
    misplaced: list[Path] = [spec] if "runtimeClassName" in _at(document, spec) else []
    for number, template in enumerate(list_at(document.value, (*spec, "templates"))):
        place: Path = (*spec, "templates", number)
        if isinstance(template, dict) and "runtimeClassName" in template:
            misplaced.append(place)
        for inner in ("container", "script"):
            yield from memory_changes(document, (*place, inner, "resources"), wish)
    for place in misplaced:
        line = document.line_of((*place, "runtimeClassName"))
        edit = Drop(document.index, (*place, "runtimeClassName"))
        name = f"{place_name(document, 'misplaced')}-{line}"
        yield Change(name, "Take away the class that Argo ignores", _WHY_MISPLACED, line, (edit,))
    title = "Run every pod of the workflow in a virtual machine of its own"
    yield from _patch(document, spec, wish, title, _WHY)
    if mapping_at(document.value, (*spec, "artifactGC")):
        yield from _patch(
            document, (*spec, "artifactGC"), wish, "Clean up in a virtual machine too", _WHY_GC
        )


def _at(document: Document, path: Path) -> dict[str, object]:
    return mapping_at(document.value, path)


def _patch(
    document: Document, place: Path, wish: Wish, title: str, why: str
) -> Iterator[Change | Finding]:
    path: Path = (*place, "podSpecPatch")
    line = document.line_of(path)
    name = f"{place_name(document, 'class')}-{line}"
    if value_at(document.value, path) in (None, ""):
        patch = f"runtimeClassName: {wish.runtime_class}\nnodeSelector:\n" + "".join(
            f'  {label}: "{value}"\n' for label, value in wish.node_labels.items()
        )
        yield Change(name, title, why, line, (Put(document.index, path, patch),))
        return
    inner = inner_document(text_at(document.value, path))
    if inner is None:
        yield Finding(
            "K-ADOPT-PATCH",
            Severity.WARNING,
            document.name,
            "This podSpecPatch holds placeholders and cannot be changed by itself.",
            why=why,
            fix=f"Add to it: runtimeClassName: {wish.runtime_class}",
            location=document.location(path),
        )
        return
    edits: tuple[Edit, ...] = class_edits(inner, (), wish, labels=True)
    if edits:
        yield Change(name, title, why, line, (Inside(document.index, path, YAML, edits),))
