"""YAML and TOML inside strings, read as documents that know their lines in the outer file.

Source of the places: Argo Workflows ``podSpecPatch``; Tekton ``config-defaults``; ConfigMaps with
hook templates of the Actions runner; Jenkins' configuration as code; the GitLab runner's chart;
kata-deploy's chart.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import yaml

from kataui.findings import Location
from kataui.kata.manifest import (
    Document,
    ManifestError,
    Path,
    dotted,
    list_at,
    mapping_at,
    parse,
    text_at,
)
from kataui.kata.systems import (
    ARGO,
    GITLAB,
    JENKINS,
    KATA_DEPLOY,
    kata_deploy_values,
    system_of,
)
from kataui.kata.tomlfile import TomlDocument, parse_toml

_ARGO_HOLE = re.compile(r"\{\{\s*([^{}\n]*?)\s*\}\}")
_TOML_NAMES = (".toml",)
_TELLING = ("runtimeClassName", "podSpecPatch", "$job", "containers:", "clouds:", "podTemplate")


class Role(StrEnum):
    """What a string holds."""

    OBJECT = "object"  # an object or a pod with its own "spec"
    PATCH = "patch"  # keys of a pod's spec
    HOOK = "hook"  # a template of the Actions runner's container hooks
    DEFAULTS = "defaults"  # Tekton's default pod template
    ASSISTANT = "assistant"  # Tekton's default for its affinity assistant
    WORKFLOW = "workflow"  # Argo's workflow defaults
    VALUES = "values"  # a file of another system, such as Jenkins' configuration
    TOML = "toml"


_KEYS = {
    "default-pod-template": Role.DEFAULTS,
    "default-affinity-assistant-pod-template": Role.ASSISTANT,
    "workflowDefaults": Role.WORKFLOW,
}


@dataclass(frozen=True, slots=True)
class Text:
    """A string of a document that is a language of its own."""

    path: Path
    text: str
    role: Role


@dataclass(frozen=True, slots=True, eq=False)
class Embedded(Document):
    """A document inside a string: ``inner`` as it was read, ``outer`` and ``path`` where it stands.

    Lines and fields are told as those of the outer file. ``first`` is the outer line of the first
    inner one; in a string that is no literal block all is told as that line.
    """

    inner: Document
    outer: Document
    path: Path
    role: Role
    first: int
    literal: bool

    def line_of(self, path: Path) -> int:
        """The line in the outer file."""
        inside = self.inner.line_of(path)
        return _file_line(self.outer, self.first + (inside - 1 if self.literal else 0))

    def location(self, path: Path = ()) -> Location:
        """Where it is: the outer field, then the inner one."""
        outer = self.outer.location(self.path)
        inside = dotted(path)
        text = f"{outer.field} > {inside}" if inside else outer.field
        return Location(outer.file, self.line_of(path), text)


def embedded(document: Document) -> Iterator[Document]:
    """The documents inside a document's strings, as far as they can be read."""
    for text in texts(document):
        try:
            yield from read(document, text)
        except ManifestError:
            continue


def read(document: Document, text: Text) -> Iterator[Embedded]:
    """The documents of one such string; ``ManifestError`` tells the line in the outer file."""
    first, literal = _first_line(document, text.path)
    filled = _ARGO_HOLE.sub(r"$(\1)", text.text)  # what is put in later is no YAML yet
    try:
        inner: tuple[Document, ...]
        if text.role is Role.TOML:
            inner = (parse_toml(text.text, document.file),)
        else:
            inner = parse(filled, document.file)
    except ManifestError as error:
        inside = error.line - 1 if literal and error.line else 0
        line = _file_line(document, first + inside)
        said = re.sub(r"^Line \d+ ", "It ", error.message)
        raise ManifestError(said, line=line, hint=error.hint) from error
    for one in inner:
        yield Embedded(
            one.file,
            document.index,
            _file_line(document, first),
            one.value,
            one.node,
            one,
            document,
            text.path,
            text.role,
            first,
            literal,
        )


def texts(document: Document) -> Iterator[Text]:
    """The strings of a document that are YAML or TOML."""
    value = document.mapping
    if value.get("kind") == "ConfigMap":
        yield from _config_map(document)
        return
    system = system_of(document)
    if system == ARGO:
        yield from _argo(document)
    elif system == GITLAB:
        yield from _gitlab(document)
    elif system == JENKINS:
        yield from _jenkins(document)
    elif system == KATA_DEPLOY:
        yield from _kata_deploy(document)


def _config_map(document: Document) -> Iterator[Text]:
    for key, text in mapping_at(document.value, ("data",)).items():
        role = _role_of(document.name, key, text) if isinstance(text, str) else None
        if role is not None:
            yield Text(("data", key), text, role)


def _role_of(name: str, key: str, text: str) -> Role | None:
    """What an entry of a ConfigMap is; None for what is not ours to read."""
    role = _KEYS.get(key)
    if role is None and key.endswith(_TOML_NAMES) and "[[runners]]" in text:
        return Role.TOML
    if role is Role.WORKFLOW and not name.startswith("workflow-controller"):
        return None
    if role is not None or not any(word in text for word in _TELLING):
        return role
    hook = "$job" in text
    if not hook and not key.endswith((".yaml", ".yml", ".json")):
        return None
    if "apiVersion:" in text or "clouds:" in text:
        return Role.VALUES
    return Role.HOOK if hook or text.lstrip().startswith(("spec:", "metadata:")) else None


def _argo(document: Document) -> Iterator[Text]:
    base: Path = ("spec", "workflowSpec") if document.kind == "CronWorkflow" else ("spec",)
    for way in (base, (*base, "artifactGC")):
        yield from _one(document, (*way, "podSpecPatch"), Role.PATCH)
    for number, template in enumerate(list_at(document.value, (*base, "templates"))):
        if isinstance(template, dict):
            yield from _one(document, (*base, "templates", number, "podSpecPatch"), Role.PATCH)


def _gitlab(document: Document) -> Iterator[Text]:
    if isinstance(document, TomlDocument) or isinstance(document.mapping.get("runners"), list):
        runners = list_at(document.value, ("runners",))
        for number, runner in enumerate(runners):
            patches = list_at(runner, ("kubernetes", "pod_spec"))
            for index in range(len(patches)):
                path: Path = ("runners", number, "kubernetes", "pod_spec", index, "patch")
                if text_at(patches[index], ("patch_type",)) != "json":
                    yield from _one(document, path, Role.PATCH)
        return
    yield from _one(document, ("runners", "config"), Role.TOML)


def _jenkins(document: Document) -> Iterator[Text]:
    value = document.value
    for number, cloud in enumerate(list_at(value, ("jenkins", "clouds"))):
        for index, template in enumerate(list_at(cloud, ("kubernetes", "templates"))):
            path: Path = ("jenkins", "clouds", number, "kubernetes", "templates", index)
            yield from _one(document, (*path, "yaml"), Role.OBJECT)
            for at, _ in enumerate(list_at(template, ("yamls",))):
                yield from _one(document, (*path, "yamls", at), Role.OBJECT)
    for key in mapping_at(value, ("controller", "JCasC", "configScripts")):
        yield from _one(document, ("controller", "JCasC", "configScripts", key), Role.VALUES)
    yield from _one(document, ("agent", "yamlTemplate"), Role.OBJECT)
    for key in mapping_at(value, ("agent", "podTemplates")):
        path = ("agent", "podTemplates", key)
        yield from _one(document, path, Role.VALUES)


def _kata_deploy(document: Document) -> Iterator[Text]:
    at, values = kata_deploy_values(document.mapping)
    yield from _one(document, (*at, "verification", "pod"), Role.OBJECT)
    for name in mapping_at(values, ("shims",)):
        yield from _one(document, (*at, "shims", name, "dropIn"), Role.TOML)
    for name in mapping_at(values, ("customRuntimes", "runtimes")):
        way: Path = (*at, "customRuntimes", "runtimes", name)
        yield from _one(document, (*way, "dropIn"), Role.TOML)
        yield from _one(document, (*way, "runtimeClass"), Role.OBJECT)


def _one(document: Document, path: Path, role: Role) -> Iterator[Text]:
    text = text_at(document.value, path)
    if text.strip():
        yield Text(path, text, role)


def _first_line(document: Document, path: Path) -> tuple[int, bool]:
    """The line on which a string's own first line stands, and whether its lines follow it."""
    inner = document.inner if isinstance(document, Embedded) else document
    if isinstance(inner, TomlDocument):
        block = path in inner.blocks
        return inner.line_of(path) + block, block
    *_, (_, node) = inner.nodes(path)
    line = int(node.start_mark.line) + 1
    literal = isinstance(node, yaml.ScalarNode) and node.style == "|"
    return line + literal, literal


def _file_line(document: Document, line: int) -> int:
    """A line of a document's own text as the line of the file that it lies in."""
    if not isinstance(document, Embedded):
        return line
    inside = line - 1 if document.literal else 0
    return _file_line(document.outer, document.first + inside)
