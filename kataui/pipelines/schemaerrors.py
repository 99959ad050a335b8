"""What a JSON Schema validator finds, as sentences for people: which field, what it must be."""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from kataui.files import clean
from kataui.kata.manifest import Path, dotted, value_at
from kataui.kata.quantities import AMOUNT, meant

_MOST = 50  # faults of one document
_DEEPEST = 12
# ${IMAGE}, $(params.x), {{workflow.name}}, <name>, @NAME@: filled in before it is applied
_PLACEHOLDER = re.compile(
    r"\$\{[^}]+\}|\$\([^)]+\)|\{\{.+?\}\}|<[A-Z_a-z][\w .-]*>|@[A-Z_]{2,}@|\$[A-Z_]+"
)
_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
Look = Callable[[str], Any]  # absolute keyword location -> piece of schema


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that a schema does not allow.

    ``placeholder`` says that a text stands there that is filled in later, so that it could not be
    checked; ``missing`` that a field is not there; ``unknown`` that nobody knows it.
    """

    path: Path
    message: str
    fix: str = ""
    placeholder: bool = False
    missing: bool = False
    unknown: bool = False


def faults(validator: jsonschema_rs.Validator, value: Any, look: Look) -> list[Fault]:
    """All that is wrong with a value, in the order of its fields; nothing when it is valid.

    ``look`` gives the piece of schema at a location, for the names of the fields that there are.
    """
    if validator.is_valid(value):
        return []
    found: list[Fault] = []
    for error in validator.iter_errors(value):
        for fault in _of(error, value, look, 0):
            if fault not in found:
                found.append(fault)
        if len(found) >= _MOST:
            break
    return found


def is_placeholder(value: Any) -> bool:
    """Whether a text is filled in later by something else."""
    return isinstance(value, str) and _PLACEHOLDER.search(value) is not None


def _of(error: jsonschema_rs.ValidationError, root: Any, look: Look, depth: int) -> Iterator[Fault]:
    path: Path = tuple(error.instance_path)
    name = error.kind.name
    told = error.kind.as_dict()
    branches = [branch for branch in told.get("context", ()) if branch]
    if branches and depth < _DEEPEST:
        best = _best(branches)
        lacking = _lacking(branches)
        if lacking:
            names = " or ".join(lacking) if len(lacking) < 3 else f"one of {', '.join(lacking)}"
            best, what = [], dotted(path) or "The document"
            yield Fault(path, f"{what} lacks {names}.", missing=True)
        elif best is None:
            yield _none_fits(path, branches, root)
        for inner in best or ():
            yield from _of(inner, root, look, depth + 1)
    elif name in {"additionalProperties", "unevaluatedProperties"}:
        known = _fields(look, error.absolute_keyword_location or "")
        for field in told["unexpected"]:
            yield _unknown(path, str(field), known)
    elif name == "type":
        yield _wrong_type(path, told["types"], value_at(root, path))
    elif name == "required":
        what = dotted(path) or "The document"
        text = f"{what} lacks {clean(str(told['property']), limit=60)}."
        yield Fault(path, text, missing=True)
    elif name in {"enum", "const"}:
        yield _wrong_choice(path, told, value_at(root, path))
    else:
        yield _other(path, name, told, value_at(root, path), error.message)


def _best(
    branches: Sequence[Sequence[jsonschema_rs.ValidationError]],
) -> Sequence[jsonschema_rs.ValidationError] | None:
    """The branch that was meant: the one that fails deepest inside, then with the fewest errors.

    None when all fail at their very root by type: then only the types can be told.
    """

    def rank(branch: Sequence[jsonschema_rs.ValidationError]) -> tuple[int, int]:
        type_fails = any(error.kind.name == "type" for error in branch)
        return (min(len(error.instance_path) for error in branch) - type_fails, -len(branch))

    if all(len(b) == 1 and b[0].kind.name == "type" for b in branches):
        places = {tuple(branch[0].instance_path) for branch in branches}
        if len(places) == 1:
            return None
    return max(branches, key=rank)


def _lacking(branches: Sequence[Sequence[jsonschema_rs.ValidationError]]) -> list[str]:
    """The fields of which one is needed, when that is all that is wrong."""
    if any(len(b) != 1 or b[0].kind.name != "required" for b in branches):
        return []
    if len({tuple(branch[0].instance_path) for branch in branches}) != 1:
        return []
    names = (str(branch[0].kind.as_dict()["property"]) for branch in branches)
    return [clean(name, limit=60) for name in dict.fromkeys(names)]


def _none_fits(
    path: Path, branches: Sequence[Sequence[jsonschema_rs.ValidationError]], root: Any
) -> Fault:
    types = [kind for branch in branches for kind in branch[0].kind.as_dict()["types"]]
    return _wrong_type(path, types, value_at(root, path))


def _unknown(path: Path, field: str, known: Sequence[str]) -> Fault:
    name = clean(field, limit=80)
    where = dotted(path)
    message = f"{dotted((*path, name))} is no field that is known there."
    near = difflib.get_close_matches(field, known, n=1, cutoff=0.65)
    same = [other for other in known if other.lower() == field.lower()]
    if same or near:
        fix = f"Did you mean {(same or near)[0]}?"
        return Fault((*path, field), message, fix, unknown=True)
    some = ", ".join(sorted(known)[:12]) + (" ..." if len(known) > 12 else "")
    inside = f" in {where}" if where else ""
    fix = f"Known{inside}: {some}." if known else ""
    return Fault((*path, field), message, fix, unknown=True)


def _fields(look: Look, location: str) -> list[str]:
    piece = look(location.rpartition("/")[0])
    properties = piece.get("properties") if isinstance(piece, dict) else None
    return [str(name) for name in properties] if isinstance(properties, dict) else []


def _wrong_type(path: Path, types: Sequence[str], value: Any) -> Fault:
    wanted = sorted(
        {_TYPES[kind] for kind in types if kind in _TYPES}, key=list(_TYPES.values()).index
    )
    must = " or ".join(wanted) or "empty"
    what = dotted(path) or "The document"
    if is_placeholder(value):
        return Fault(
            path,
            f"{what} is the placeholder {clean(value, limit=60)}: it must become {must}.",
            placeholder=True,
        )
    fix = ""
    if wanted == ["a text"] and isinstance(value, bool | int | float):
        fix = f'Put it in quotes: "{_shown(value)}"' if not isinstance(value, bool) else _BOOL_FIX
    elif isinstance(value, str) and "a text" not in wanted and value and _reads_as(value, types):
        fix = f"Take the quotes away: {clean(value, limit=60)}"
    elif value is None:
        fix = "Fill it in, or remove the field."
    return Fault(path, f"{what} must be {must}, but is {_described(value)}.", fix)


_BOOL_FIX = "Put it in quotes: without them yes, no, on, off, true and false are no text."


def _reads_as(value: str, types: Sequence[str]) -> bool:
    number = re.fullmatch(r"-?\d+", value) is not None and {"integer", "number"} & set(types)
    return bool(number) or (value in {"true", "false"} and "boolean" in types)


def _described(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text {clean(value, limit=40)!r}"
    return _shown(value) if isinstance(value, bool) else f"the number {_shown(value)}"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else clean(str(value), limit=60)


def _wrong_choice(path: Path, told: dict[str, Any], value: Any) -> Fault:
    options = told.get("options", [told.get("expected_value")])
    names = [str(option) for option in options if option not in (None, "")]
    what = dotted(path) or "The document"
    if is_placeholder(value):
        message = f"{what} is the placeholder {clean(value, limit=60)}: it could not be checked."
        return Fault(path, message, placeholder=True)
    near = difflib.get_close_matches(str(value), names, n=1)
    same = [name for name in names if name.lower() == str(value).lower()]
    must = ", ".join(clean(name, limit=40) for name in names[:12])
    fix = f"Did you mean {(same or near)[0]}?" if same or near else ""
    return Fault(path, f"{what} must be one of {must}, but is {_described(value)}.", fix)


_SENTENCES = {
    "minimum": "must be at least {limit}",
    "maximum": "must be at most {limit}",
    "exclusiveMinimum": "must be more than {limit}",
    "exclusiveMaximum": "must be less than {limit}",
    "minItems": "must have at least {limit} items",
    "maxItems": "must have at most {limit} items",
    "minLength": "must have at least {limit} characters",
    "maxLength": "must have at most {limit} characters",
    "minProperties": "must have at least {limit} fields",
    "maxProperties": "must have at most {limit} fields",
    "uniqueItems": "has an item twice",
    "pattern": "does not have the form {pattern}",
    "format": "is no {format}",
    "oneOf": "could be read in two ways: only one of them may hold",
    "oneOf_multiple": "could be read in two ways: only one of them may hold",
    "not": "has a combination that is not allowed",
    "falseSchema": "is not allowed there",
}


def _other(path: Path, name: str, told: dict[str, Any], value: Any, message: str) -> Fault:
    what = dotted(path) or "The document"
    if is_placeholder(value):
        text = f"{what} is the placeholder {clean(value, limit=60)}: it could not be checked."
        return Fault(path, text, placeholder=True)
    if told.get("pattern") == AMOUNT:
        return _no_amount(path, value)
    sentence = _SENTENCES.get(name)
    if sentence is None:
        return Fault(path, f"{what}: {clean(message, limit=200)}.")
    words = {key: clean(str(inner), limit=120) for key, inner in told.items()}
    return Fault(
        path,
        f"{what} {sentence.format_map({'limit': '?', 'pattern': '?', 'format': '?', **words})}.",
    )


def _no_amount(path: Path, value: Any) -> Fault:
    near = meant(str(value))
    fix = f"Did you mean {near}?" if near else ""
    text = f"{dotted(path)} must be a quantity such as 500m, 2 or 4Gi, but is {_described(value)}."
    return Fault(path, text, fix)
