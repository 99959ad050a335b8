"""Edits of a person's YAML that leave every other byte as it was.

The text is spliced at the places that the parser tells; nothing is written anew that was not
changed. Afterwards the result is parsed and must hold exactly the values that the edits ask for.
Source of the forms: YAML 1.2, sections 6.1 (indentation), 7.4 (flow) and 8 (block).
"""

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from kataui.errors import KatauiError
from kataui.kata.manifest import Document, ManifestError, Path, dotted, parse
from kataui.kata.yamlwriter import quoted, scalar, write

_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]+|[&!][^\s,\[\]{}]*(?=[\r\n]))*")  # anchor, tag


class EditProblem(KatauiError):
    """An edit cannot be made without changing something else."""


@dataclass(frozen=True, slots=True)
class Put:
    """Give ``path`` of a document a value; mappings that are missing on the way are made.

    A path that ends with the length of a list appends to it. ``after`` names the key that a new
    key is put behind; otherwise it becomes the last.
    """

    document: int
    path: Path
    value: Any
    after: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """Take a key and its value away."""

    document: int
    path: Path


Edit = Put | Drop


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text with the edits made, one after the other.

    Raises ``EditProblem`` when one cannot be made, or when the result would not hold exactly what
    was asked for; ``ManifestError`` when the text is no YAML.
    """
    wanted = {document.index: document.value for document in parse(text, "")}
    for edit in edits:
        documents = {document.index: document for document in parse(text, "")}
        if edit.document not in documents:
            raise EditProblem("That document is not in the file.")
        splicer = _Splicer(text, documents[edit.document])
        text = splicer.put(edit) if isinstance(edit, Put) else splicer.drop(edit)
        wanted = copy.deepcopy(wanted)  # keeps what aliases share
        _change(wanted[edit.document], edit)
    try:
        found = {document.index: document.value for document in parse(text, "")}
    except ManifestError as error:
        raise EditProblem(f"It would no longer be YAML: {error.message}") from error
    if found != wanted:
        raise EditProblem(
            "It cannot be changed there without changing something else.",
            hint="An anchor, a merge or an unusual form is in the way. Change it by hand.",
        )
    return text


def _change(value: Any, edit: Edit) -> None:
    """Make the edit on plain values."""
    *way, last = edit.path
    for step in way:
        value = _entered(value, step)
    if isinstance(edit, Drop):
        del value[last]
    elif isinstance(value, list) and last == len(value):
        value.append(edit.value)
    else:
        value[last] = edit.value


def _entered(value: Any, step: str | int) -> Any:
    if isinstance(value, dict) and value.get(str(step)) is None:
        value[step] = {}
    return value[step]


class _Splicer:
    """Makes one edit of one document of a text."""

    def __init__(self, text: str, document: Document) -> None:
        self._text = text
        self._document = document
        first = re.search(r"\r\n|\n|\r", text)
        self._newline = first.group() if first else "\n"

    def put(self, edit: Put) -> str:
        """The text with a value set."""
        chain = list(self._document.nodes(edit.path))
        depth = len(chain) - 1
        key, node = chain[-1]
        if depth == len(edit.path):
            return self._replace(key, node, edit.value)
        rest = edit.path[depth:]
        value = edit.value
        for step in reversed(rest[1:]):
            value = {step: value}
        if isinstance(node, yaml.MappingNode) and isinstance(rest[0], str):
            return self._add_pair(node, rest[0], value, edit.after)
        if isinstance(node, yaml.SequenceNode) and rest[0] == len(node.value):
            return self._append(node, value)
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"):
            return self._replace(key, node, {rest[0]: value})
        raise EditProblem(f"{dotted(edit.path)} cannot be put there.")

    def drop(self, edit: Drop) -> str:
        """The text without a key or item, and without the line that held it."""
        chain = list(self._document.nodes(edit.path))
        if len(chain) != len(edit.path) + 1 or len(chain) < 2:
            raise EditProblem(f"{dotted(edit.path)} is not there.")
        (key, node), (_, parent) = chain[-1], chain[-2]
        if getattr(parent, "flow_style", None) or len(parent.value) == 1:
            return self._drop_written_anew(parent, edit.path[-1])
        start = self._begin(key, node)
        if self._text[self._line_start(start) : start].strip(" "):
            # It stands behind the dash of a list: what follows moves up to it.
            second = parent.value[1]
            at = self._begin(*second) if key is not None else self._begin(None, second)
            return self._text[:start] + self._text[at:]
        stop = self._line_end(self._pair_end(key, node))
        stop += len(self._newline) if stop < len(self._text) else 0
        return self._text[: self._line_start(start)] + self._text[stop:]

    def _begin(self, key: yaml.Node | None, node: yaml.Node) -> int:
        """Where a pair begins, or the dash of a list's item."""
        if key is not None:
            return int(key.start_mark.index)
        return self._text.rindex("-", 0, node.start_mark.index)

    def _pair_end(self, key: yaml.Node | None, node: yaml.Node) -> int:
        """Where a pair ends; the marks of an aliased value are those of its anchor."""
        if key is not None and node.start_mark.index < key.end_mark.index:
            return self._alias_end(key)
        return self._end(node)

    def _drop_written_anew(self, parent: yaml.Node, last: str | int) -> str:
        """Flow collections are short, and an empty one has another form: they are written anew."""
        value = copy.copy(yaml_value(self._document, parent))
        del value[last]
        return self._spliced(self._inner_start(parent), self._end(parent), _flow(value))

    def _replace(self, key: yaml.Node | None, node: yaml.Node, value: Any) -> str:
        start, stop = self._inner_start(node), self._end(node)
        flow = isinstance(value, dict | list) and bool(value) and self._in_flow(start)
        if isinstance(node, yaml.ScalarNode) and isinstance(value, str):
            if node.style in ("|", ">") and value.strip():
                return self._replace_block(node, value)
            if node.style in ("'", '"') and "\n" not in value:
                single = "'" + value.replace("'", "''") + "'"
                plain = node.style == "'" and value.isprintable()
                return self._spliced(start, stop, single if plain else quoted(value))
        if not isinstance(value, dict | list) or not value or flow:
            if key is not None and key.end_mark.line < node.start_mark.line:
                return self._pull_up(key, start, stop, _flow(value))
            return self._spliced(start, stop, self._glue(start) + _flow(value))
        return self._replace_by_block(key, start, stop, value)

    def _pull_up(self, key: yaml.Node, start: int, stop: int, value: str) -> str:
        """Put a value that fits on one line beside its key; a comment there stays."""
        at = self._text.index(":", key.end_mark.index) + 1
        between = self._text[at:start].rstrip()
        return self._spliced(at, stop, f" {value}{between}")

    def _replace_by_block(
        self, key: yaml.Node | None, start: int, stop: int, value: dict[str, Any] | list[Any]
    ) -> str:
        """A collection in block form, on lines of its own below its key."""
        begin = self._line_start(start)
        head = self._text[begin:start]
        if not head.strip(" -"):  # on a line of its own, or behind the dash of a list
            least = key.start_mark.column + 2 if key and isinstance(value, dict) else 0
            lines = self._lines(value, max(len(head), least))
            return self._spliced(start, stop, lines[len(head) :])
        at = len(self._text[:start].rstrip(" "))
        column = len(head) - len(head.lstrip(" -"))
        return self._spliced(at, stop, self._newline + self._lines(value, column + 2))

    def _replace_block(self, node: yaml.ScalarNode, value: str) -> str:
        """The content of a literal or folded block; its header and indentation stay."""
        start = self._inner_start(node)
        head_end = self._line_end(start)
        old = self._text[head_end : node.end_mark.index]
        found = re.search(r"(?:\r\n|\n|\r)([ ]+)\S", old)
        lead = self._text[self._line_start(start) : start]
        blanks = found[1] if found else " " * (len(lead) - len(lead.lstrip(" -")) + 2)
        header = re.sub(r"^[|>][-+0-9]*", "|" + _chomping(value), self._text[start:head_end])
        body = value.rstrip("\n") if not value.endswith("\n\n") else value[:-1]
        lines = [blanks + line if line else "" for line in body.split("\n")]
        block = self._newline.join([header, *lines])
        return self._spliced(start, self._end(node), block)

    def _add_pair(self, node: yaml.MappingNode, key: str, value: Any, after: str) -> str:
        if node.flow_style or not node.value:
            return self._grow_flow(node, f"{_flow(key)}: {_flow(value)}")
        place = next(
            (pair for pair in node.value if after and pair[0].value == after), node.value[-1]
        )
        column = node.value[0][0].start_mark.column
        return self._insert_lines(self._pair_end(*place), self._lines({key: value}, column))

    def _append(self, node: yaml.SequenceNode, value: Any) -> str:
        if node.flow_style or not node.value:
            return self._grow_flow(node, _flow(value))
        column = node.start_mark.column
        return self._insert_lines(self._end(node.value[-1]), self._lines([value], column))

    def _grow_flow(self, node: yaml.Node, text: str) -> str:
        """Put something before the bracket that closes a flow collection."""
        close = self._end(node) - 1
        inner = self._text[self._inner_start(node) + 1 : close]
        at = close - (len(inner) - len(inner.rstrip()))
        needs_comma = bool(node.value) and not inner.rstrip().endswith(",")
        return self._spliced(at, at, (", " if needs_comma else "") + text)

    def _insert_lines(self, end: int, lines: str) -> str:
        """Put whole lines behind the line in which ``end`` lies."""
        at = self._line_end(end)
        return self._spliced(at, at, self._newline + lines)

    def _lines(self, value: Any, column: int) -> str:
        blanks = " " * column
        lines = write([value]).text.rstrip("\n").split("\n")
        return self._newline.join(blanks + line if line else "" for line in lines)

    def _spliced(self, start: int, stop: int, text: str) -> str:
        return self._text[:start] + text + self._text[stop:]

    def _glue(self, start: int) -> str:
        """A blank, when a value is put right behind a colon or dash."""
        return " " if start and self._text[start - 1] in ":-" else ""

    def _inner_start(self, node: yaml.Node) -> int:
        """Where a node begins behind its anchor and tag."""
        start = int(node.start_mark.index)
        found = _PROPERTIES.match(self._text, start)
        return found.end() if found and found.end() <= node.end_mark.index else start

    def _in_flow(self, at: int) -> bool:
        """Whether a place lies inside brackets."""
        stack: list[yaml.Node] = [self._document.node]
        while stack:
            node = stack.pop()
            if node.start_mark.index <= at < node.end_mark.index:
                if getattr(node, "flow_style", None) and node.start_mark.index < at:
                    return True
                if isinstance(node, yaml.MappingNode):
                    stack.extend(value for _, value in node.value)
                elif isinstance(node, yaml.SequenceNode):
                    stack.extend(node.value)
        return False

    def _end(self, node: yaml.Node) -> int:
        """Where a node ends, without the comments and blank lines that the parser counts to it."""
        while not getattr(node, "flow_style", None) and isinstance(node.value, list) and node.value:
            last = node.value[-1]
            if isinstance(node, yaml.MappingNode):
                return self._pair_end(*last)
            if last.start_mark.index < node.start_mark.index:
                raise EditProblem("A list that ends with an alias cannot be changed here.")
            node = last
        end = int(node.end_mark.index)
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            whole = self._text[node.start_mark.index : end]
            kept = re.match(r"[|>]\d?\+", self._text[self._inner_start(node) :])
            return end - len(self._newline) if kept else end - len(whole) + len(whole.rstrip())
        return end

    def _alias_end(self, key: yaml.Node) -> int:
        found = re.compile(r"[ \t]*:[ \t]*\*[^\s,\[\]{}]+").match(self._text, key.end_mark.index)
        if found is None:
            raise EditProblem("An alias in an unusual form is in the way.")
        return found.end()

    def _line_start(self, at: int) -> int:
        return max(self._text.rfind("\n", 0, at), self._text.rfind("\r", 0, at)) + 1

    def _line_end(self, at: int) -> int:
        found = re.compile(r"\r\n|\n|\r").search(self._text, at)
        return found.start() if found else len(self._text)


def yaml_value(document: Document, node: yaml.Node) -> Any:
    """The value of a node of a document."""
    stack: list[tuple[yaml.Node, Any]] = [(document.node, document.value)]
    while stack:
        found, value = stack.pop()
        if found is node:
            return value
        if isinstance(found, yaml.MappingNode):
            stack += [(v, value[k.value]) for k, v in found.value if k.value in value]
        elif isinstance(found, yaml.SequenceNode):
            stack += list(zip(found.value, value, strict=True))
    raise EditProblem("That value is not in the file.")


def _chomping(value: str) -> str:
    if value.endswith("\n\n"):
        return "+"
    return "" if value.endswith("\n") else "-"


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(str(k))}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    text = scalar(value)
    return quoted(value) if isinstance(value, str) and "," in text and text[0] != '"' else text
