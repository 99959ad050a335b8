"""``template.yaml``, format 1: from its text to a ``Template``, with a sentence for each fault."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from kataui.errors import KatauiError
from kataui.files import clean
from kataui.pipelines.answers import problem_of
from kataui.pipelines.model import Choice, Kind, Parameter, Renderer, Template, Value

FORMAT = 1
_T = TypeVar("_T")
_TOP = frozenset(
    ("format", "id", "title", "system", "version", "why", "summary", "tags", "minutes")
) | frozenset(("kubernetes", "renderer", "files", "stages", "parameters"))
_PARAMETER = frozenset(
    ("use", "name", "title", "kind", "default", "help", "group", "unit", "choices", "pattern")
) | frozenset(
    ("example", "minimum", "maximum", "required", "expert", "item", "show_if", "secret_command")
)
_NAME = re.compile(r"[a-z][A-Za-z0-9]{0,39}")
_ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?")
_MAX_PARAMETERS = 100
_EMPTY: dict[Kind, Value] = {
    Kind.SWITCH: False,
    Kind.INTEGER: 0,
    Kind.LIST: [],
    Kind.MAP: {},
}


class TemplateFault(KatauiError):
    """A template cannot be used, and why."""


def template_of(
    description: Mapping[str, Any],
    render: Renderer,
    *,
    common: Mapping[str, Mapping[str, Any]] | None = None,
    own: bool = False,
) -> Template:
    """A template from its description. Raises ``TemplateFault`` with the first fault.

    ``common`` has the parameters that entries with ``use`` take over and may change.
    """
    _known(description, _TOP, "the template")
    if description.get("format") != FORMAT:
        raise TemplateFault(f"Its format is {description.get('format')!r}; {FORMAT} is read here.")
    identity = _get(description, "id", str)
    if not _ID.fullmatch(identity):
        raise TemplateFault(f"The id {clean(identity, limit=60)!r} is not of a-z, 0-9 and -.")
    parameters = _parameters(description, common or {})
    return Template(
        id=identity,
        title=_get(description, "title", str),
        system=_get(description, "system", str),
        version=_get(description, "version", str),
        why=_get(description, "why", str),
        summary=_get(description, "summary", str, ""),
        tags=tuple(str(tag) for tag in _get(description, "tags", list, [])),
        minutes=_get(description, "minutes", int, 5),
        kubernetes=_get(description, "kubernetes", str, "1.30"),
        parameters=parameters,
        render=render,
        own=own,
    )


def _parameters(
    description: Mapping[str, Any], common: Mapping[str, Mapping[str, Any]]
) -> tuple[Parameter, ...]:
    entries = _get(description, "parameters", list)
    if len(entries) > _MAX_PARAMETERS:
        raise TemplateFault(f"It has more than {_MAX_PARAMETERS} parameters.")
    parameters = tuple(_parameter(_whole(entry, common)) for entry in entries)
    names = [parameter.name for parameter in parameters]
    for number, parameter in enumerate(parameters):
        if parameter.name in names[:number]:
            raise TemplateFault(f"The parameter {parameter.name} is there twice.")
        for other in parameter.show_if:
            if other not in names[:number]:
                raise TemplateFault(
                    f"{parameter.name} depends on {clean(other)}, not asked before."
                )
    return parameters


def _whole(entry: Any, common: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if isinstance(entry, str):
        entry = {"use": entry}
    if not isinstance(entry, dict):
        raise TemplateFault("A parameter is no mapping.")
    name = entry.get("use")
    if name is None:
        return entry
    if name not in common:
        raise TemplateFault(f"There is no common parameter {clean(str(name), limit=60)!r}.")
    return {**common[name], **{key: value for key, value in entry.items() if key != "use"}}


def _parameter(entry: Mapping[str, Any]) -> Parameter:
    name = _get(entry, "name", str)
    if not _NAME.fullmatch(name):
        raise TemplateFault(f"The name {clean(name, limit=60)!r} is not of letters and digits.")
    try:
        return _checked_parameter(name, entry)
    except TemplateFault as error:
        raise TemplateFault(f"Parameter {name}: {error.message}") from error


def _checked_parameter(name: str, entry: Mapping[str, Any]) -> Parameter:
    _known(entry, _PARAMETER, "it")
    kind = _enum(_get(entry, "kind", str))
    pattern = _get(entry, "pattern", str, "")
    try:
        re.compile(pattern)
    except (re.error, RecursionError) as error:
        raise TemplateFault(f"its pattern is none: {clean(str(error), limit=80)}.") from error
    parameter = Parameter(
        name=name,
        title=_get(entry, "title", str),
        kind=kind,
        default=_get(entry, "default", object, _EMPTY.get(kind, "")),  # type: ignore[arg-type]
        help=_get(entry, "help", str, ""),
        group=_get(entry, "group", str, ""),
        unit=_get(entry, "unit", str, ""),
        choices=tuple(map(_choice, _get(entry, "choices", list, []))),
        pattern=pattern,
        example=str(entry.get("example", "")),
        minimum=str(entry.get("minimum", "")),
        maximum=str(entry.get("maximum", "")),
        required=_get(entry, "required", bool, True),  # noqa: FBT003 - the default of a member
        expert=_get(entry, "expert", bool, False),  # noqa: FBT003 - the default of a member
        item=_enum(_get(entry, "item", str, "text")),
        show_if=_conditions(_get(entry, "show_if", dict, {})),
        secret_command=_get(entry, "secret_command", str, ""),
    )
    # What is required may begin empty: the form asks for it.
    problem = (
        problem_of(parameter, parameter.default) if parameter.default not in ("", [], {}) else ""
    )
    if problem:
        raise TemplateFault(f"its default is not taken: {problem}")
    return parameter


def _choice(entry: Any) -> Choice:
    if isinstance(entry, dict):
        value = str(entry.get("value", ""))
        return Choice(value, str(entry.get("title", value)), str(entry.get("help", "")))
    return Choice(str(entry), str(entry))


def _conditions(entry: Mapping[str, Any]) -> dict[str, tuple[Value, ...]]:
    return {
        name: tuple(allowed) if isinstance(allowed, list) else (allowed,)
        for name, allowed in entry.items()
    }


def _enum(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError as error:
        kinds = ", ".join(kind.value for kind in Kind)
        raise TemplateFault(f"the kind {clean(text, limit=40)!r} is none of {kinds}.") from error


def _known(entry: Mapping[str, Any], allowed: frozenset[str], what: str) -> None:
    unknown = sorted(set(entry) - allowed)
    if unknown:
        raise TemplateFault(f"{what} has a member {clean(unknown[0], limit=60)!r}, not known here.")


_MISSING = object()


def _get(entry: Mapping[str, Any], name: str, kind: type[_T], default: Any = _MISSING) -> _T:
    value = entry.get(name, default)
    if value is _MISSING:
        raise TemplateFault(f"the member {name} is missing.")
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TemplateFault(f"the member {name} is of the wrong type.")
    return value
