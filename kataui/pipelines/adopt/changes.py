"""Changes of a person's file, and how they are made in YAML, in TOML, and in texts inside YAML."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Item, Table

from kataui.files import clean
from kataui.findings import Finding
from kataui.kata import edits as yaml_edits
from kataui.kata.edits import Drop, EditProblem, Put
from kataui.kata.manifest import Path, decode, parse, text_at

YAML, TOML = "yaml", "toml"
_MARKS = (
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)


@dataclass(frozen=True, slots=True)
class PutToml:
    """Give a key of a TOML text a value; tables that are missing on the way are made."""

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Inside:
    """Edits of a YAML or TOML text that is itself a string in a YAML document."""

    document: int
    path: Path
    language: str
    edits: tuple["Edit", ...]


Edit = Put | Drop | PutToml | Inside


@dataclass(frozen=True, slots=True)
class Change:
    """One change that can be taken or left.

    ``id`` is its name within the plan; ``line`` is where it is in the file as it was, 1-based.
    ``needs`` are ids that must be taken with it.
    """

    id: str
    title: str
    why: str
    line: int
    edits: tuple[Edit, ...] = field(repr=False)
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extra:
    """A file that has to be made beside the one that is changed."""

    name: str
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would have to change for a file to run on Kata.

    ``notes`` are what remains after all changes, or what no change of this file can bring.
    """

    name: str
    system: str
    language: str
    data: bytes = field(repr=False)
    changes: tuple[Change, ...]
    notes: tuple[Finding, ...] = ()
    extras: tuple[Extra, ...] = ()

    def ids(self) -> frozenset[str]:
        """All changes."""
        return frozenset(change.id for change in self.changes)


def apply(plan: Plan, chosen: frozenset[str] | None = None) -> bytes:
    """The file with the chosen changes (all of them by default), in its encoding.

    What a chosen change needs is taken too. Nothing chosen gives the very same bytes. Raises
    ``EditProblem`` when a change cannot be made without changing something else.
    """
    wanted = with_needs(plan, plan.ids() if chosen is None else chosen)
    edits = [edit for change in plan.changes if change.id in wanted for edit in change.edits]
    if not edits:
        return plan.data
    mark, encoding = next(
        ((mark, name) for mark, name in _MARKS if plan.data.startswith(mark)), (b"", "utf-8")
    )
    return mark + edit_text(decode(plan.data), plan.language, edits).encode(encoding)


def with_needs(plan: Plan, chosen: frozenset[str]) -> frozenset[str]:
    """The chosen changes and those that they need."""
    wanted = set(chosen) & plan.ids()
    for change in reversed(plan.changes):
        if change.id in wanted:
            wanted.update(change.needs)
    return frozenset(wanted)


def edit_text(text: str, language: str, edits: Sequence[Edit]) -> str:
    """A text with edits made, one after the other. Raises ``EditProblem``."""
    for edit in edits:
        if isinstance(edit, Inside):
            text = _edit_inside(text, edit)
        elif isinstance(edit, PutToml):
            text = _edit_toml(text, edit)
        elif language == YAML:
            text = yaml_edits.apply(text, [edit])
        else:
            raise EditProblem("That edit is for YAML, and this is TOML.")
    return text


def _edit_inside(text: str, edit: Inside) -> str:
    document = next((d for d in parse(text, "") if d.index == edit.document), None)
    inner = text_at(document.value, edit.path) if document else ""
    edited = edit_text(inner, edit.language, edit.edits)
    return yaml_edits.apply(text, [Put(edit.document, edit.path, edited)])


def _edit_toml(text: str, edit: PutToml) -> str:
    # tomlkit keeps comments, order and blanks; it knows no other line end than the one it reads.
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise EditProblem(f"It is not TOML: {clean(str(error), limit=120)}.") from error
    place: Any = document
    for step in edit.path[:-1]:
        if isinstance(step, str) and step not in place:
            _add_toml(place, step, tomlkit.table())
        place = place[step]
    name = str(edit.path[-1])
    if name in place:
        place[name] = edit.value
    else:
        _add_toml(place, name, tomlkit.item(edit.value))
    return tomlkit.dumps(document)


def _add_toml(place: Any, name: str, item: Item) -> None:
    """Add a key to a table, as far to the right as those that are there."""
    body = place.value.body if isinstance(place, Table) else place.body
    keyed = [found for key, found in body if key is not None and not isinstance(found, Table)]
    indent = keyed[-1].trivia.indent if keyed else getattr(place, "trivia", item.trivia).indent
    place.append(name, item)
    item.trivia.indent = indent
