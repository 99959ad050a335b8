"""Writes JSON-like values as YAML that every reader reads the same, and says where each value is.

Our own, for two reasons: no text of an answer can ever leave its scalar (what is not plainly plain
is written with JSON's escapes, which YAML 1.2 takes over, section 7.3.1), and each line is known.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kataui.kata.manifest import Path

# Plain for YAML 1.1 and 1.2 alike: begins with a letter or "/" and holds no indicator that matters,
# or is a quantity, which reads like no number.
_PLAIN = re.compile(
    r"[A-Za-z/][A-Za-z0-9_./+-]*(?:[:@=,][A-Za-z0-9_./+-]+)*(?: [A-Za-z0-9_./+-]+)*"
    r"|[1-9][0-9]*(?:m|[KMGT]i)"
)
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_PRINTED = r"\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd"  # U+2028 ends lines
_BLOCK = re.compile(rf"[\n{_PRINTED}]+")
_WIDE = re.compile(rf"[^{_PRINTED}]")


@dataclass(frozen=True, slots=True)
class Written:
    """YAML text; ``lines`` has the 1-based line of each (document, path)."""

    text: str
    lines: Mapping[tuple[int, Path], int]


def write(documents: Sequence[Any], *, head: str = "") -> Written:
    """Values as YAML documents; ``head`` is put before them as comment lines.

    Mappings keep their order. Keys must be strings. Numbers, booleans and None are YAML's own;
    strings with line ends become literal blocks where that keeps every character.
    """
    writer = _Writer()
    for line in head.splitlines():
        writer.out.append(f"# {line}".rstrip())
    for number, document in enumerate(documents):
        if number:
            writer.out.append("---")
        writer.document = number
        writer.node(document, 0, ())
    return Written("\n".join(writer.out) + "\n", writer.lines)


def scalar(value: Any) -> str:
    """One scalar on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        text = json.dumps(value)
        return text if "." in text or "e" not in text else text.replace("e", ".0e")
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """A string in double quotes; characters that YAML does not print are escaped."""
    return _WIDE.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class _Writer:
    """Appends lines to ``out``; ``lines`` notes where each path begins."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.lines: dict[tuple[int, Path], int] = {}
        self.document = 0

    def node(self, value: Any, depth: int, path: Path) -> None:
        """A whole value on lines of its own."""
        if isinstance(value, Mapping) and value:
            self._mapping(value, depth, path, "  " * depth)
        elif isinstance(value, list | tuple) and value:
            self._sequence(value, depth, path, "  " * depth)
        else:
            self._note(path)
            self.out.append("  " * depth + _leaf(value))

    def _note(self, path: Path) -> None:
        self.lines.setdefault((self.document, path), len(self.out) + 1)

    def _mapping(self, value: Mapping[str, Any], depth: int, path: Path, lead: str) -> None:
        """``lead`` is what the first line begins with: blanks, or a list's dash."""
        self._note(path)
        for key, inner in value.items():
            place = (*path, key)
            self._note(place)
            head = f"{lead}{scalar(str(key))}:"
            lead = "  " * depth
            if isinstance(inner, Mapping) and inner:
                self.out.append(head)
                self._mapping(inner, depth + 1, place, "  " * (depth + 1))
            elif isinstance(inner, list | tuple) and inner:
                self.out.append(head)
                self._sequence(inner, depth + 1, place, "  " * (depth + 1))
            else:
                self._value(head, inner, depth + 1)

    def _sequence(self, value: Sequence[Any], depth: int, path: Path, lead: str) -> None:
        self._note(path)
        for number, inner in enumerate(value):
            place = (*path, number)
            self._note(place)
            dash = f"{lead}- "
            lead = "  " * depth
            if isinstance(inner, Mapping) and inner:
                self._mapping(inner, depth + 1, place, dash)
            elif isinstance(inner, list | tuple) and inner:
                self._sequence(inner, depth + 1, place, dash)
            else:
                self._value(dash.rstrip(), inner, depth + 1)

    def _value(self, head: str, value: Any, depth: int) -> None:
        """A leaf after its key or dash."""
        if isinstance(value, str) and _is_block(value):
            body, indicator = value, "|-"
            if value.endswith("\n"):
                body, indicator = value[:-1], "|"
            self.out.append(f"{head} {indicator}")
            blanks = "  " * depth
            self.out.extend(blanks + line if line else "" for line in body.split("\n"))
        else:
            self.out.append(f"{head} {_leaf(value)}")


def _leaf(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    return scalar(value)


def _is_block(text: str) -> bool:
    """Whether a literal block keeps the text: no odd characters, no blanks or ends at its edges."""
    return (
        "\n" in text.rstrip("\n")
        and not text[0].isspace()
        and not text.endswith("\n\n")
        and _BLOCK.fullmatch(text) is not None
        and not any(line.endswith(" ") for line in text.split("\n"))
    )
