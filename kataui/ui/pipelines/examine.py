"""What is looked at beside typing, in a worker: the checks, and what each pod boots. No Qt."""

from collections.abc import Sequence
from dataclasses import dataclass

from kataui.errors import KatauiError
from kataui.findings import Finding, Severity
from kataui.kata import sizing
from kataui.kata.embedded import embedded
from kataui.kata.manifest import Document, ManifestError, parse
from kataui.kata.pods import pods_in
from kataui.pipelines.checks import Options, check_rendered
from kataui.pipelines.model import Rendered
from kataui.progress import Control


@dataclass(frozen=True, slots=True)
class PodSize:
    """A pod that comes out, and the sentence on what it boots and costs."""

    name: str
    file: str
    line: int
    told: str


@dataclass(frozen=True, slots=True)
class Examined:
    """Findings in their order, and the size of every Kata pod."""

    findings: tuple[Finding, ...] = ()
    sizes: tuple[PodSize, ...] = ()


def examine(rendered: Rendered, options: Options, control: Control) -> Examined:
    """Check the files, and tell what runs. Raises ``Cancelled``."""
    control.check()
    findings = tuple(check_rendered(rendered, options))
    control.check()
    return Examined(findings, tuple(_sizes(rendered)))


def _sizes(rendered: Rendered) -> list[PodSize]:
    found: list[PodSize] = []
    for file in rendered.files:
        if file.language != "yaml":
            continue
        try:
            documents = parse(file.text, file.path)
        except ManifestError:
            continue  # the checks tell it
        for document in documents:
            for inner in (document, *_embedded(document)):
                found += _of(inner)
    return found


def _embedded(document: Document) -> list[Document]:
    try:
        return list(embedded(document))
    except KatauiError:
        return []


def _of(document: Document) -> list[PodSize]:
    found = []
    for place in pods_in(document):
        size = sizing.size(place.spec, place.runtime_class)
        if size is not None:
            line = document.line_of(place.path)
            found.append(PodSize(place.name or place.kind, document.file, line, sizing.told(size)))
    return found


def verdict(findings: Sequence[Finding]) -> str:
    """``fail`` for an error, ``unknown`` when something could not be checked, else ``pass``."""
    if any(finding.severity is Severity.ERROR for finding in findings):
        return "fail"
    return "pass" if all(finding.checked for finding in findings) else "unknown"
