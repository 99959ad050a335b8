"""Answers: their defaults, what is wrong with them, how they refer to one another.

A text may use another answer as ``${name}``; ``$${name}`` stands for those characters themselves.
Only names of parameters count, so that shell variables in scripts stay what they are.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from kataui.files import clean
from kataui.findings import Problem
from kataui.kata.quantities import QuantityError, parse_bytes, parse_cpus
from kataui.pipelines.model import Kind, Parameter, Template, Value, Values

_REFERENCE = re.compile(r"\$(\$?)\{([A-Za-z][A-Za-z0-9]*)\}")
_MAX_TEXT, _MAX_ITEMS, _MAX_CHAIN = 20_000, 200, 16
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
# distribution/reference, grammar of a reference: name [":" tag] ["@" digest]
_IMAGE = re.compile(
    r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::[0-9]+)?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[^\s\"'<>\\^`{|}]*)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# Prefixes that GitLab, GitHub, AWS, Google, Slack, npm and PyPI put before their tokens
_TOKEN = re.compile(
    r"(glrt|glpat|gldt|glcbt|GR1348941)-?[\w-]{8,}|gh[pousr]_\w{8,}|github_pat_\w{8,}"
    r"|(AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{20,}|xox[abprs]-[\w-]{8,}|npm_\w{16,}|pypi-\w{16,}"
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY"
)
_NO_TOKENS = "That looks like the secret itself. Give the name of a Secret; the command makes it."


def holds_secret(value: Value) -> bool:
    """Whether an answer looks like a token or a private key: such a one is kept nowhere."""
    return _TOKEN.search(str(value)) is not None


def defaults(template: Template) -> dict[str, Value]:
    """What a new form holds."""
    return {parameter.name: parameter.default for parameter in template.parameters}


def shown(template: Template, values: Values) -> list[Parameter]:
    """The parameters that count with these answers, in the order of the template."""
    found: list[Parameter] = []
    names: set[str] = set()
    for parameter in template.parameters:
        if _counts(parameter, values, names):
            found.append(parameter)
            names.add(parameter.name)
    return found


def _counts(parameter: Parameter, values: Values, asked: set[str]) -> bool:
    return all(
        name in asked and values.get(name) in allowed for name, allowed in parameter.show_if.items()
    )


def effective(template: Template, values: Values) -> dict[str, Value]:
    """All answers as renderers get them: defaults filled in, references written out."""
    given = {**defaults(template), **values}
    counted = {parameter.name for parameter in shown(template, given)}
    raw = {
        parameter.name: given[parameter.name] if parameter.name in counted else parameter.default
        for parameter in template.parameters
    }
    return {name: _expand(value, raw) for name, value in raw.items()}


def _expand(value: Value, raw: Mapping[str, Value]) -> Value:
    if isinstance(value, str):
        return _expand_text(value, raw, 0)
    if isinstance(value, list):
        return [_expand_text(item, raw, 0) for item in value]
    if isinstance(value, dict):
        return {key: _expand_text(item, raw, 0) for key, item in value.items()}
    return value


def _expand_text(text: str, raw: Mapping[str, Value], depth: int) -> str:
    def replace(found: re.Match[str]) -> str:
        escaped, name = found.groups()
        other = raw.get(name)
        if escaped and name in raw:
            return f"${{{name}}}"
        if escaped or depth > _MAX_CHAIN or not isinstance(other, str | int):
            return found.group()
        if isinstance(other, bool):
            return "true" if other else "false"
        return _expand_text(str(other), raw, depth + 1)

    return _REFERENCE.sub(replace, text) if "$" in text else text


def problems(template: Template, values: Values) -> list[Problem]:
    """What is wrong with each answer that counts; nothing when the template can be rendered."""
    whole = effective(template, values)
    return [
        Problem(parameter.name, text)
        for parameter in shown(template, {**defaults(template), **values})
        if (text := problem_of(parameter, whole[parameter.name]))
    ]


def problem_of(parameter: Parameter, value: Value) -> str:
    """What is wrong with one answer, as a sentence; empty when it is fine."""
    if holds_secret(value):
        return _NO_TOKENS
    match parameter.kind:
        case Kind.SWITCH:
            found = "" if isinstance(value, bool) else "Say yes or no."
        case Kind.INTEGER:
            found = _integer(parameter, value)
        case Kind.LIST:
            found = _several(parameter, value) if isinstance(value, list) else "Give a list."
        case Kind.MAP:
            found = _several(parameter, value) if isinstance(value, dict) else "Give pairs."
        case kind if isinstance(value, str) and value:
            found = _text(parameter, value, kind)
        case _ if value == "":
            found = "Fill this in." if parameter.required else ""
        case _:
            found = "Write a text."
    return found


def _several(parameter: Parameter, value: Mapping[str, Any] | Sequence[Any]) -> str:
    if not value:
        return "Give at least one." if parameter.required else ""
    if len(value) > _MAX_ITEMS:
        return f"Give at most {_MAX_ITEMS}."
    pairs = value.items() if isinstance(value, Mapping) else ((item, item) for item in value)
    for key, item in pairs:
        if not isinstance(item, str) or not key:
            return "An empty one is among them."
        found = _text(parameter, item, parameter.item) if item else ""
        if found:
            return f"{clean(key, limit=60)}: {found}"
    return ""


def _integer(parameter: Parameter, value: Value) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return "Write a whole number."
    low, high = parameter.minimum, parameter.maximum
    if (low and value < int(low)) or (high and value > int(high)):
        return f"It must be from {low or 'any'} to {high or 'any'}."
    return ""


def _text(parameter: Parameter, value: str, kind: Kind) -> str:
    if len(value) > _MAX_TEXT:
        return f"It is longer than {_MAX_TEXT} characters."
    if _CONTROL.search(value) or (kind is not Kind.LINES and ("\n" in value or "\r" in value)):
        return "It holds control characters."
    check = _CHECKS.get(kind)
    found = check(parameter, value) if check else ""
    if not found and parameter.pattern and not re.fullmatch(parameter.pattern, value):
        example = f" Such as {parameter.example}" if parameter.example else ""
        found = f"It does not have the form that is needed here.{example}"
    return found


def _choice(parameter: Parameter, value: str) -> str:
    if any(choice.value == value for choice in parameter.choices):
        return ""
    return f"Choose one of {', '.join(choice.value for choice in parameter.choices)}."


def _name(_parameter: Parameter, value: str) -> str:
    if len(value) <= 40 and _LABEL.fullmatch(value):
        return ""
    return "Use a-z, 0-9 and -, at most 40, with a letter or digit at both ends (RFC 1123)."


def _domain(_parameter: Parameter, value: str) -> str:
    if len(value) <= 253 and _DOMAIN.fullmatch(value):
        return ""
    return "Use a-z, 0-9, - and ., with a letter or digit around each dot (RFC 1123)."


def _image(_parameter: Parameter, value: str) -> str:
    if _IMAGE.fullmatch(value):
        return ""
    return "It is no image reference such as registry.example.org/team/app@sha256:…"


def _url(_parameter: Parameter, value: str) -> str:
    return "" if _URL.fullmatch(value) else "It is no URL that begins with https://"


def _quantity(parse: Callable[[str], Decimal | int]) -> Callable[[Parameter, str], str]:
    def check(parameter: Parameter, value: str) -> str:
        try:
            amount = parse(value)
        except QuantityError as error:
            return error.message
        low, high = parameter.minimum, parameter.maximum
        if amount <= 0 or (low and amount < parse(low)):
            return f"It must be at least {low or 'more than nothing'}."
        if high and amount > parse(high):
            return f"It must be at most {high}."
        return ""

    return check


_CHECKS: dict[Kind, Callable[[Parameter, str], str]] = {
    Kind.NAME: _name,
    Kind.SUBDOMAIN: _domain,
    Kind.CLASS: _domain,
    Kind.SECRET: _domain,
    Kind.IMAGE: _image,
    Kind.URL: _url,
    Kind.CHOICE: _choice,
    Kind.CPU: _quantity(parse_cpus),
    Kind.MEMORY: _quantity(parse_bytes),
}
