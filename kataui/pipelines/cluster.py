"""What a cluster says of objects, through kubectl: its classes, a dry run, differences, applying.

Nothing here is called unless a person asks for it: kubectl uses the network, with the person's own
configuration and rights. Every call names its context, and ends after ``_PATIENCE``.

Source: Kubernetes, "Server-Side Apply" and the manual pages of kubectl apply, diff and create.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kataui import tools
from kataui.errors import KatauiError, NotPossibleHere
from kataui.files import clean
from kataui.findings import Finding, Location, Severity
from kataui.kata.cipods import everything_in
from kataui.kata.manifest import Document, mapping_at, text_at
from kataui.pipelines.checks import read_manifests
from kataui.pipelines.model import Rendered
from kataui.progress import Control

DRY_RUN, CLASS, VERSION = "K-DRYRUN", "K-CLUSTER-CLASS", "K-CLUSTER-VERSION"
_MANAGER = "kataui"
_CRDS = "customresourcedefinitions.apiextensions.k8s.io"
_PATIENCE = "--request-timeout=20s"
_DIFFERENT = 1  # kubectl-diff(1): 1 means that there are differences
_LOST = re.compile(r'namespaces "([^"]+)" not found')
_NO_KIND = re.compile(r"no matches for kind|could not find the requested resource")
_HEADS = re.compile(
    r"^(error: |Error from server( \([^)]*\))?: |The request is invalid: "
    r'|error when \w+ "STDIN": |error validating "STDIN": )+'
)
_NOT_OBJECTS = ("kustomize.config.k8s.io/",)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What was asked of a cluster first; ``classes`` are (name, handler)."""

    context: str
    version: str
    classes: tuple[tuple[str, str], ...]

    @property
    def kata_classes(self) -> tuple[str, ...]:
        """The classes that look like Kata's, by their handlers."""
        return tuple(name for name, handler in self.classes if handler.startswith("kata"))


@dataclass(frozen=True, slots=True)
class Item:
    """An object to apply; one with ``generateName`` can only be created, anew each time."""

    document: Document

    @property
    def created(self) -> bool:
        """Whether it is created, not applied."""
        return not text_at(self.document.value, ("metadata", "name"))

    @property
    def subject(self) -> str:
        """``Deployment web``."""
        return f"{self.document.kind} {self.document.name}"

    @property
    def location(self) -> Location:
        """Where it begins."""
        return Location(self.document.file, self.document.line)

    @property
    def data(self) -> bytes:
        """The object as kubectl reads it: JSON."""
        return json.dumps(self.document.value, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Tried:
    """What the API server says of one object; ``difference`` is a unified diff to what it has."""

    item: Item
    problem: str = ""
    difference: str = ""


def contexts() -> tuple[str, tuple[str, ...]]:
    """The current context of kubectl ("" when there is none) and all of them. Uses no network.

    Raises ``NotPossibleHere`` when kubectl is not installed.
    """
    told = _kubectl("config", "get-contexts", "-o", "name")
    current = _kubectl("config", "current-context")
    names = tuple(told.stdout.decode("utf-8", "replace").split()) if told.status == 0 else ()
    chosen = current.stdout.decode("utf-8", "replace").strip()
    return (chosen if current.status == 0 and chosen in names else "", names)


def items(documents: Sequence[Document]) -> tuple[Item, ...]:
    """The objects among documents that can be applied, in their order."""
    return tuple(
        Item(document)
        for document in documents
        if document.api_version
        and document.kind
        and document.name
        and not document.api_version.startswith(_NOT_OBJECTS)
    )


def items_of(rendered: Rendered) -> tuple[Item, ...]:
    """The objects in the files of a template."""
    found: list[Document] = []
    for file in rendered.files:
        if file.language == "yaml":
            found += read_manifests(file.path, file.text).documents
    return items(found)


def look(context: str, control: Control) -> Cluster:
    """The cluster's version and runtime classes. Raises ``KatauiError`` when it does not answer."""
    control.report("Asking the cluster for its version", 0, 0)
    told = _said(_kubectl("version", "-o", "json", *_at(context), control=control))
    version = text_at(told, ("serverVersion", "gitVersion"))
    control.report("Asking the cluster for its runtime classes", 0, 0)
    listed = _said(_kubectl("get", "runtimeclasses", "-o", "json", *_at(context), control=control))
    classes = tuple(
        (clean(text_at(one, ("metadata", "name")), limit=80), text_at(one, ("handler",)))
        for one in mapping_at(listed, ()).get("items") or ()
    )
    return Cluster(context, clean(version, limit=40), classes)


def try_out(wanted: Sequence[Item], context: str, control: Control) -> list[Tried]:
    """Let the API server check each object without keeping it, and compare with what it has.

    Nothing is changed. Admission policies and webhooks run as they would.
    """
    tried = []
    for number, item in enumerate(wanted):
        control.report(f"Trying {item.subject}", number, len(wanted))
        verb = ["create"] if item.created else ["apply", *_server_side()]
        dry = [*verb, "--dry-run=server", "-o", "name", "-f", "-", *_at(context)]
        outcome = _kubectl(*dry, data=item.data, control=control)
        problem = "" if outcome.status == 0 else _problem(outcome)
        difference = ""
        if not problem and not item.created:
            compare = ["diff", *_server_side(), "-f", "-", *_at(context)]
            compared = _kubectl(*compare, data=item.data, control=control)
            if compared.status == _DIFFERENT:
                difference = _readable(compared.stdout.decode("utf-8", "replace"))
        tried.append(Tried(item, problem, difference))
    return tried


def word_of(one: Tried) -> str:
    """What would become of an object: refused, new, changed, same, or made anew each time."""
    if one.problem:
        return "refused"
    if one.item.created:
        return "made anew"
    if not one.difference:
        return "same"
    return "new" if "\n@@ -0,0 " in one.difference else "changed"


def apply(wanted: Sequence[Item], context: str, control: Control) -> list[str]:
    """Apply (or create) the objects in their order; gives what kubectl said, a line each.

    Stops at the first that is refused: raises ``KatauiError``, which says what was applied before.
    """
    done: list[str] = []
    for number, item in enumerate(wanted):
        control.report(f"Applying {item.subject}", number, len(wanted))
        verb = ["create"] if item.created else ["apply", *_server_side()]
        outcome = _kubectl(*verb, "-f", "-", *_at(context), data=item.data, control=control)
        if outcome.status:
            before = f"Before it, {len(done)} of {len(wanted)} were applied: they stay."
            raise KatauiError(
                f"{item.subject} was refused: {_problem(outcome)}",
                hint=before if done else "Nothing was changed.",
            )
        done += clean(outcome.stdout.decode("utf-8", "replace").strip(), limit=300).split("\n")
    return done


def fetch_crds(context: str, control: Control) -> bytes:
    """The cluster's CustomResourceDefinitions as YAML."""
    outcome = _kubectl("get", _CRDS, "-o", "yaml", *_at(context), control=control)
    if outcome.status:
        raise KatauiError(f"The CRDs cannot be read: {_problem(outcome)}")
    return outcome.stdout


def findings(cluster: Cluster, tried: Sequence[Tried], *, checked_for: str) -> list[Finding]:
    """What the cluster's answers mean for the objects."""
    made = {one.item.document.name for one in tried if one.item.document.kind == "Namespace"}
    found = [_refused(one, made) for one in tried if one.problem]
    found += _lacking(cluster, [one.item for one in tried])
    if not re.match(rf"v?{re.escape(checked_for)}(\D|$)", cluster.version):
        found.append(
            Finding(
                VERSION,
                Severity.INFO,
                cluster.context,
                f"The cluster is Kubernetes {cluster.version}; checked was for {checked_for}.",
                fix="Choose its version for the checks.",
            )
        )
    return found


def _refused(one: Tried, made: set[str]) -> Finding:
    lost = _LOST.search(one.problem)
    if lost and lost[1] in made:
        return Finding(
            DRY_RUN,
            Severity.INFO,
            one.item.subject,
            f"It could not be tried: its namespace {lost[1]} comes with it and is not there yet.",
            location=one.item.location,
            checked=False,
        )
    message, fix = f"The API server refuses it: {one.problem}", ""
    if _NO_KIND.search(one.problem):
        kind = f"{one.item.document.kind} of {one.item.document.api_version}"
        message = f"The cluster has no {clean(kind, limit=120)}."
        fix = "Install what brings this kind first."
    place = one.item.location
    return Finding(DRY_RUN, Severity.ERROR, one.item.subject, message, fix=fix, location=place)


def _lacking(cluster: Cluster, wanted: Sequence[Item]) -> Iterator[Finding]:
    """Pods with a class that the cluster has not: they would never start."""
    there = {name for name, _ in cluster.classes}
    brought = {one.document.name for one in wanted if one.document.kind == "RuntimeClass"}
    for item in wanted:
        for place in everything_in(item.document):
            name = place.runtime_class
            if name and name not in there | brought:
                yield Finding(
                    CLASS,
                    Severity.ERROR,
                    place.subject,
                    f"The cluster has no runtime class {clean(name, limit=80)}.",
                    why="Its pods are refused with it.",
                    fix=f"It has {', '.join(sorted(there))}." if there else "Install Kata first.",
                    location=place.location("runtimeClassName"),
                )


def _server_side() -> tuple[str, ...]:
    return ("--server-side", f"--field-manager={_MANAGER}")


def _at(context: str) -> tuple[str, ...]:
    return ("--context", context, _PATIENCE) if context else (_PATIENCE,)


def _kubectl(*words: str, data: bytes = b"", control: Control | None = None) -> tools.Outcome:
    kubectl = tools.require("kubectl", purpose="Asking a cluster")
    return tools.run([str(kubectl), *words], input_bytes=data, control=control)


def _said(outcome: tools.Outcome) -> Any:
    if outcome.status:
        raise KatauiError(
            f"The cluster does not answer: {_problem(outcome)}",
            hint="Try it yourself: kubectl cluster-info. Nothing was changed.",
        )
    try:
        return json.loads(outcome.stdout)
    except ValueError as error:
        raise NotPossibleHere("kubectl gave no JSON.", hint="Is it the real kubectl?") from error


def _problem(outcome: tools.Outcome) -> str:
    """What kubectl complains of, without its head."""
    lines = [line for line in outcome.stderr.splitlines() if not line.startswith("Warning:")]
    text = " ".join(lines) or outcome.problem()
    return clean(_HEADS.sub("", text), limit=400)


def _readable(difference: str) -> str:
    """Without the names of kubectl's own scratch files."""
    lines = [line for line in difference.split("\n") if not line.startswith("diff -")]
    named = (re.sub(r"^(---|\+\+\+) \S*/([^/\s]+).*", r"\1 \2", line) for line in lines)
    return "\n".join(clean(line, limit=400) for line in named)
