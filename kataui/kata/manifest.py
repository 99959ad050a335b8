"""YAML files as people write them: documents, their values, and the place of each value.

Read as Kubernetes reads it: YAML 1.1 turned into JSON (sigs.k8s.io/yaml), where keys are strings,
dates are strings, and merge keys (``<<``) are followed. Source of the scalar forms: yaml.org/type.
"""

import codecs
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.constructor import ConstructorError, SafeConstructor

from kataui.errors import KatauiError
from kataui.files import clean
from kataui.findings import Location

Path = tuple[str | int, ...]

MAX_BYTES = 32 << 20
_MAX_DEPTH = 100
_MAX_VALUES = 2_000_000  # when all aliases are written out
_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
_CONVERTERS = {
    _TAG + "bool": SafeConstructor.construct_yaml_bool,
    _TAG + "int": SafeConstructor.construct_yaml_int,
    _TAG + "float": SafeConstructor.construct_yaml_float,
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class ManifestError(KatauiError):
    """A file is not YAML that can be read; ``line`` is 1-based, 0 when the whole file is meant."""

    def __init__(self, message: str, *, line: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One YAML document; ``value`` is JSON-like and shared between aliases: never change it.

    ``line`` is where it begins, 1-based; ``index`` counts the documents of the file from 0.
    """

    file: str
    index: int
    line: int
    value: Any = field(repr=False)
    node: yaml.Node = field(repr=False)

    @property
    def mapping(self) -> dict[str, Any]:
        """The value when it is a mapping, else an empty one."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def kind(self) -> str:
        """Kubernetes' ``kind``, or nothing."""
        return text_at(self.value, ("kind",))

    @property
    def api_version(self) -> str:
        """Kubernetes' ``apiVersion``, or nothing."""
        return text_at(self.value, ("apiVersion",))

    @property
    def name(self) -> str:
        """``metadata.name``, or ``generateName``."""
        found = text_at(self.value, ("metadata", "name"))
        return found or text_at(self.value, ("metadata", "generateName"))

    def nodes(self, path: Path) -> Iterator[tuple[yaml.Node | None, yaml.Node]]:
        """(key, value) nodes along a path, as far as it exists; the root has no key."""
        key, node = None, self.node
        yield key, node
        for step in path:
            found = _child(node, step)
            if found is None:
                return
            key, node = found
            yield key, node

    def line_of(self, path: Path) -> int:
        """The line of the key (or list item) at ``path``, or of what there is on the way to it."""
        key, node = list(self.nodes(path))[-1]
        return int((node if key is None else key).start_mark.line) + 1

    def location(self, path: Path = ()) -> Location:
        """Where a value is, for a finding."""
        return Location(self.file, self.line_of(path), dotted(path))


def parse(data: bytes | str, file: str) -> tuple[Document, ...]:
    """All documents of a file that hold something; empty ones between ``---`` are left out.

    ``file`` is the name that findings show. Raises ``ManifestError`` with a sentence: what is
    no text, too big, nested too deeply, refers to itself, grows too much when its aliases are
    written out, or names a key twice is refused.
    """
    text = decode(data)
    documents = []
    try:
        for index, node in enumerate(yaml.compose_all(text, Loader=yaml.CSafeLoader)):
            value = _Values().of(node)
            if value is not None:
                line = int(node.start_mark.line) + 1
                documents.append(Document(file, index, line, value, node))
    except yaml.MarkedYAMLError as error:
        raise _problem(error, text) from error
    except yaml.YAMLError as error:
        raise ManifestError(f"It is not YAML: {clean(str(error), limit=120)}.") from error
    return tuple(documents)


def decode(data: bytes | str) -> str:
    """The text of a file: UTF-8, or UTF-16 when it begins with its mark.

    Raises ``ManifestError`` for anything else and for what is larger than 32 MiB.
    """
    if len(data) > MAX_BYTES:
        raise ManifestError(f"It is larger than {MAX_BYTES >> 20} MiB, too large for a manifest.")
    if isinstance(data, str):
        return data
    encoding, start = next(((e, len(b)) for b, e in _BOMS if data.startswith(b)), ("utf-8", 0))
    try:
        text = data[start:].decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, start + error.start) + 1
        raise ManifestError(
            f"Line {line} is not {encoding.upper()} text.", line=line, hint="Save it as UTF-8."
        ) from error
    if "\0" in text:
        raise ManifestError("It holds NUL characters: it is no text file.")
    return text


def value_at(value: Any, path: Path) -> Any:
    """What is at a path of mappings and lists, or None."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_at(value: Any, path: Path) -> str:
    """The string at a path, or an empty one."""
    found = value_at(value, path)
    return found if isinstance(found, str) else ""


def mapping_at(value: Any, path: Path) -> dict[str, Any]:
    """The mapping at a path, or an empty one."""
    found = value_at(value, path)
    return found if isinstance(found, dict) else {}


def list_at(value: Any, path: Path) -> list[Any]:
    """The list at a path, or an empty one."""
    found = value_at(value, path)
    return found if isinstance(found, list) else []


def dotted(path: Path) -> str:
    """A path as people write it: ``spec.containers[0].image``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[\w-]+", step):
            text += f".{step}" if text else step
        else:
            text += f"[{step!r}]"
    return text


class _Values:
    """Turns nodes into JSON-like values, each node once, counting what aliases would make."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, int]] = {}
        self._open: set[int] = set()
        self._scalars = SafeConstructor()

    def of(self, node: yaml.Node) -> Any:
        """The value of a node."""
        value, size = self._make(node, 0)
        del size
        return value

    def _make(self, node: yaml.Node, depth: int) -> tuple[Any, int]:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node), 1
        identity = id(node)
        if identity in self._made:
            return self._made[identity]
        line = int(node.start_mark.line) + 1
        if identity in self._open:
            raise ManifestError(f"Line {line} refers to itself.", line=line)
        if depth > _MAX_DEPTH:
            raise ManifestError(
                f"Line {line} is nested more than {_MAX_DEPTH} levels deep.", line=line
            )
        self._open.add(identity)
        value: Any
        if isinstance(node, yaml.SequenceNode):
            value, size = self._sequence(node, depth)
        else:
            value, size = self._mapping(node, depth)
        if size > _MAX_VALUES:
            raise ManifestError(f"Line {line} grows beyond all measure by its aliases.", line=line)
        self._open.discard(identity)
        self._made[identity] = value, size
        return value, size

    def _sequence(self, node: yaml.Node, depth: int) -> tuple[list[Any], int]:
        values, size = [], 1
        for child in node.value:
            value, more = self._make(child, depth + 1)
            values.append(value)
            size += more
        return values, size

    def _mapping(self, node: yaml.Node, depth: int) -> tuple[dict[str, Any], int]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        size = 1
        for key_node, value_node in node.value:
            value, more = self._make(value_node, depth + 1)
            size += more + 1
            if key_node.tag == _MERGE:
                for source in value if isinstance(value, list) else [value]:
                    for key in source if isinstance(source, dict) else ():
                        merged.setdefault(key, source[key])
                continue
            key = _key_text(key_node)
            if key in own:
                line = int(key_node.start_mark.line) + 1
                raise ManifestError(
                    f"Line {line} names the key {clean(key, limit=60)!r} for the second time.",
                    line=line,
                    hint="Only one of them would count. Remove the other.",
                )
            own[key] = value
        return {**merged, **own} if merged else own, size

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if node.tag == _TAG + "str":
            return node.value
        if node.tag == _TAG + "null":
            return None
        convert = _CONVERTERS.get(node.tag)
        if convert is None or (":" in node.value and node.tag != _TAG + "bool"):
            return node.value  # dates and base-60 numbers are strings for Kubernetes
        try:
            return convert(self._scalars, node)
        except (ValueError, OverflowError, KeyError, ConstructorError):
            return node.value  # a tag that does not fit, as in "!!int x"


def _key_text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        line = int(node.start_mark.line) + 1
        raise ManifestError(f"Line {line} has a key that is no text.", line=line)
    return str(node.value)


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node | None, yaml.Node] | None:
    if isinstance(step, int):
        if isinstance(node, yaml.SequenceNode) and -len(node.value) <= step < len(node.value):
            return None, node.value[step]
        return None
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value == step and key.tag != _MERGE:
            return key, value
    for key, value in node.value:
        if key.tag == _MERGE:
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                found = _child(source, step)
                if found is not None:
                    return found
    return None


def _problem(error: yaml.MarkedYAMLError, text: str) -> ManifestError:
    mark = error.problem_mark or error.context_mark
    line = int(mark.line) + 1 if mark else 0
    said = clean(" ".join(filter(None, (error.context, error.problem))), limit=160)
    where = f"Line {line}" if line else "It"
    written = next(itertools.islice(text.splitlines(), max(line - 1, 0), None), "")
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return ManifestError(
            f"{where} is indented with a tab, which YAML does not allow.",
            line=line,
            hint="Use blanks.",
        )
    return ManifestError(f"{where} is not YAML: {said}.", line=line)
