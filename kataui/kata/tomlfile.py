"""TOML files with the line of each key, in the shape of manifests.

Source of the forms: toml.io, v1.0.0. The standard library's parser gives the values; where keys
stand is read from the lines, for no parser of it tells.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from kataui.files import clean
from kataui.kata.manifest import MAX_BYTES, Document, ManifestError, Path

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]\n]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"\n]*\"|'[^'\n]*')(?:\s*\.\s*(?:[\w-]+|\"[^\"\n]*\"))*)\s*=")
_PART = re.compile(r"[\w-]+|\"[^\"]*\"|'[^']*'")
_LONG = ("'''", '"""')


@dataclass(frozen=True, slots=True, eq=False)
class TomlDocument(Document):
    """A TOML file; ``lines`` has the 1-based line of each table and key.

    ``blocks`` are the strings of several lines whose text begins on the line after their key.
    """

    lines: Mapping[Path, int] = field(default_factory=dict, repr=False)
    blocks: frozenset[Path] = frozenset()

    def line_of(self, path: Path) -> int:
        """The line of the key at ``path``, or of what there is on the way to it."""
        for length in range(len(path), 0, -1):
            line = self.lines.get(path[:length])
            if line is not None:
                return line
        return self.line


def parse_toml(text: str, file: str) -> TomlDocument:
    """A TOML text; raises ``ManifestError`` with the line that cannot be read."""
    if len(text) > MAX_BYTES:
        raise ManifestError("It is too large for a configuration.")
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _problem(error) from error
    except RecursionError as error:
        raise ManifestError("It is nested too deeply.") from error
    scanner = _Lines()
    scanner.read(text)
    node = yaml.ScalarNode("tag:yaml.org,2002:str", "")
    blocks = frozenset(scanner.blocks)
    return TomlDocument(file, 0, 1, value, node, scanner.lines, blocks)


def _problem(error: tomllib.TOMLDecodeError) -> ManifestError:
    said = str(error)
    place = re.search(r" \(at line (\d+), column \d+\)$", said)
    line = int(place[1]) if place else 0
    said = clean(said[: place.start()] if place else said, limit=160)
    where = f"Line {line}" if line else "It"
    return ManifestError(f"{where} is not TOML: {said}.", line=line)


class _Lines:
    """Finds where tables and keys stand in a text that is known to be TOML."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.blocks: list[Path] = []
        self._items: dict[tuple[str, ...], int] = {}  # array of tables -> its last index
        self._table: Path = ()
        self._until = ""  # what ends the long string that is open

    def read(self, text: str) -> None:
        """Go through all lines."""
        for number, line in enumerate(text.split("\n"), 1):
            if self._until:
                if self._until in line:
                    self._until = ""
                continue
            header = _HEADER.match(line)
            if header:
                self._open_table(header[2], many=header[1] == "[[", line=number)
                continue
            key = _KEY.match(line)
            if key:
                path = (*self._table, *_parts(key[1]))
                self.lines.setdefault(path, number)
                self._open_string(line[key.end() :], path)
            elif any(line.count(mark) % 2 for mark in _LONG):
                self._open_string(line, ())

    def _open_table(self, dotted: str, *, many: bool, line: int) -> None:
        names = tuple(_parts(dotted))
        if many:
            self._items[names] = self._items.get(names, -1) + 1
        self._table = tuple(self._with_indices(names))
        self.lines.setdefault(self._table, line)
        if many:
            self.lines.setdefault(self._table[:-1], line)

    def _with_indices(self, names: tuple[str, ...]) -> Iterator[str | int]:
        for length, name in enumerate(names, 1):
            yield name
            index = self._items.get(names[:length])
            if index is not None:
                yield index

    def _open_string(self, rest: str, path: Path) -> None:
        for mark in _LONG:
            if mark in rest and rest.count(mark) % 2:
                self._until = mark
                if path and rest.strip() == mark:
                    self.blocks.append(path)
                return


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(dotted)]
