"""``.kataui-answers.yaml``, format 1: the answers that a folder's files were made from.

    format: 1
    template: kata-smoke-test
    version: "1.0"            # of the template
    kubernetes: "1.35"        # what the files are for
    values: {name: my-test}   # only what was answered otherwise than usual

A secret's value is never in it, for parameters only name secrets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kataui.errors import KatauiError
from kataui.files import clean, read_bounded
from kataui.kata.manifest import parse
from kataui.kata.yamlwriter import write
from kataui.pipelines.answers import defaults, problem_of
from kataui.pipelines.model import Answers, Kind, Parameter, Template, Value, Values

FILE_NAME = ".kataui-answers.yaml"
FORMAT = 1
_HEAD = "Written by kataui: the answers from which the files here were made.\nNo secret is in it."
_MAX_BYTES = 4 << 20
_MEMBERS = ("format", "template", "version", "kubernetes", "values")


class AnswersFileProblem(KatauiError):
    """A file of answers cannot be read, or is of something else."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What an answers file holds; ``kubernetes`` is the version that the files are for."""

    answers: Answers
    kubernetes: str = ""


@dataclass(frozen=True, slots=True)
class Fit:
    """Kept answers as a template takes them; ``notes`` are sentences on what did not fit."""

    values: dict[str, Value]
    notes: tuple[str, ...] = ()


def kept_of(template: Template, values: Values, kubernetes: str) -> Kept:
    """What is to be kept of a form: what differs from the defaults, in the template's order."""
    usual = defaults(template)
    changed = {
        name: values[name]
        for name in usual
        if name in values and not _same(values[name], usual[name])
    }
    return Kept(Answers(template.id, template.version, changed), kubernetes)


def text_of(kept: Kept) -> str:
    """The text of the file."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "template": kept.answers.template,
        "version": kept.answers.version,
        "kubernetes": kept.kubernetes,
        "values": dict(kept.answers.values),
    }
    return write([document], head=_HEAD).text


def read(data: bytes | str, file: str) -> Kept:
    """The answers in a text. Raises ``AnswersFileProblem`` or ``ManifestError``.

    Members that are not known are refused: a newer kataui means something by them.
    """
    documents = parse(data, file)
    mapping = documents[0].mapping if len(documents) == 1 else {}
    name = clean(file, limit=120)
    if not mapping or "template" not in mapping:
        raise AnswersFileProblem(f"{name} is no file of answers that kataui wrote.")
    version = mapping.get("format")
    unknown = sorted(set(mapping) - set(_MEMBERS))
    if version != FORMAT or unknown:
        hint = "A newer kataui wrote it. Update this one." if _newer(version) else ""
        what = f"the member {clean(unknown[0], limit=60)!r}" if unknown else ""
        what = f"format {clean(str(version), limit=20)}" if version != FORMAT else what
        raise AnswersFileProblem(f"{name} has {what}; format {FORMAT} is read here.", hint=hint)
    values = mapping.get("values") or {}
    texts = [mapping.get(member, "") for member in ("template", "version", "kubernetes")]
    if not isinstance(values, dict) or not all(isinstance(text, str) for text in texts):
        raise AnswersFileProblem(f"{name} has a member of the wrong type.")
    return Kept(Answers(texts[0], texts[1], values), texts[2])


def read_file(path: Path) -> Kept:
    """The answers in a file, or in the folder that holds it. Raises ``KatauiError``."""
    place = path / FILE_NAME if path.is_dir() else path
    return read(read_bounded(place, limit_bytes=_MAX_BYTES, what="a file of answers"), str(place))


def fit(template: Template, kept: Kept) -> Fit:
    """Kept answers for a form of the template, with what was dropped and why.

    Raises ``AnswersFileProblem`` when they are another template's.
    """
    if kept.answers.template != template.id:
        raise AnswersFileProblem(
            f"The answers are those of {clean(kept.answers.template, limit=60)!r}, "
            f"not of {template.id}.",
            hint=f"Use: kataui pipeline render {clean(kept.answers.template, limit=60)}",
        )
    values, notes = {}, []
    if kept.answers.version != template.version:
        old = clean(kept.answers.version, limit=20)
        notes.append(f"They were given to version {old}; the template is now {template.version}.")
    for name, value in kept.answers.values.items():
        parameter = template.parameter(name)
        shown = clean(name, limit=60)
        if parameter is None:
            notes.append(f"The template no longer asks for {shown}: that answer is left out.")
        elif not _taken(parameter, value):
            notes.append(f"{shown} holds what its question does not take: the default is used.")
        else:
            values[name] = value
    return Fit(values, tuple(notes))


def _taken(parameter: Parameter, value: Any) -> bool:
    """Whether a value is of the kind that a question takes; its content may still be wrong."""
    if parameter.kind is Kind.SWITCH:
        return isinstance(value, bool)
    if parameter.kind is Kind.INTEGER:
        return isinstance(value, int) and not isinstance(value, bool)
    if parameter.kind is Kind.LIST:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if parameter.kind is Kind.MAP:
        return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    if parameter.kind is Kind.CHOICE:
        return isinstance(value, str) and not problem_of(parameter, value)
    return isinstance(value, str)


def _same(one: Value, other: Value) -> bool:
    """Equality that tells yes from 1, and pairs in another order from the same ones."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one.items()) == list(other.items())
    return type(one) is type(other) and one == other


def _newer(version: Any) -> bool:
    return isinstance(version, int) and not isinstance(version, bool) and version > FORMAT
