"""Jenkins: pod templates of the Kubernetes plugin in Configuration as Code.

Source: jenkinsci/kubernetes-plugin, README ("yaml", "yamlMergeStrategy"): there is no typed field
for the class, so it goes into the template's ``yaml`` text; with ``inheritFrom`` the default
strategy "override" would lose the parent's.
"""

from collections.abc import Iterator

from kataui.findings import Finding, Severity
from kataui.kata.edits import Put
from kataui.kata.manifest import Document, Path, list_at, mapping_at, text_at
from kataui.pipelines.adopt.changes import YAML, Change, Edit, Inside
from kataui.pipelines.adopt.limits import inner_document, memory_changes
from kataui.pipelines.adopt.wish import Wish, class_edits, place_name

_WHY = "The plugin has no field for the class; what its yaml says is laid over the agent's pod."


def recognises(document: Document) -> bool:
    """Whether this is Jenkins' configuration as code with a Kubernetes cloud."""
    return any(True for _ in _templates(document))


def _templates(document: Document) -> Iterator[Path]:
    for cloud, _ in enumerate(list_at(document.value, ("jenkins", "clouds"))):
        path: Path = ("jenkins", "clouds", cloud, "kubernetes", "templates")
        for number, template in enumerate(list_at(document.value, path)):
            if isinstance(template, dict):
                yield (*path, number)


def changes(document: Document, wish: Wish) -> Iterator[Change | Finding]:
    """What would have to change."""
    for place in _templates(document):
        yield from _template(document, place, wish)


def _template(document: Document, place: Path, wish: Wish) -> Iterator[Change | Finding]:
    template = mapping_at(document.value, place)
    path: Path = (*place, "yaml")
    text = text_at(document.value, path)
    line = document.line_of(path if text else place)
    name = str(template.get("name") or template.get("label") or "agent")
    edits: list[Edit] = []
    if not text.strip():
        if template.get("inheritFrom") and not template.get("yaml"):
            return  # it takes its parent's text over
        edits.append(
            Put(document.index, path, f"spec:\n  runtimeClassName: {wish.runtime_class}\n")
        )
    else:
        inner = inner_document(text)
        if inner is None:
            yield _unreadable(document, path, name, wish)
            return
        wanted = class_edits(inner, ("spec",), wish, labels=False)
        wanted += tuple(_memory(inner, wish))
        if wanted:
            edits.append(Inside(document.index, path, YAML, wanted))
    if template.get("inheritFrom") and template.get("yamlMergeStrategy") != "merge":
        edits.append(Put(document.index, (*place, "yamlMergeStrategy"), "merge", after="yaml"))
    if edits:
        yield Change(
            f"{place_name(document, 'class')}-{line}",
            f"Run the agent {name} in a virtual machine of its own",
            _WHY,
            line,
            tuple(edits),
        )


def _memory(inner: Document, wish: Wish) -> Iterator[Edit]:
    for number, _ in enumerate(list_at(inner.value, ("spec", "containers"))):
        for change in memory_changes(inner, ("spec", "containers", number, "resources"), wish):
            yield from change.edits


def _unreadable(document: Document, path: Path, name: str, wish: Wish) -> Finding:
    return Finding(
        "K-ADOPT-PATCH",
        Severity.WARNING,
        name,
        "The yaml of this template cannot be read by itself and is not changed.",
        why=_WHY,
        fix=f"Add to its spec: runtimeClassName: {wish.runtime_class}",
        location=document.location(path),
    )
