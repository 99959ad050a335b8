"""The filter of the list of sandboxes: ``checkout``, ``grade < C or waits > 5``, ``not name:test``.

Words without a field are looked for in the name. Terms beside one another must all be true;
``or`` separates alternatives and binds weaker; ``not`` turns one term round. Text is compared
without regard to case; what has blanks in it is quoted. A worse grade is a lower one, so that
``grade < C`` finds D and E; ``waits`` and ``coverage`` are in %; ``=`` and ``:`` compare numbers
as they are shown, rounded. What was not measured fulfils no comparison.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from kataui.errors import KatauiError
from kataui.files import clean

HELP = "Words of the name, grade < C, score < 50, waits > 5, coverage < 60, because:vhost, or, not"
_GRADES = "EDCBA"  # from the worst to the best
_TEXTS = ("name", "because")
_NUMBERS = ("score", "waits", "coverage")
_FIELDS = (*_TEXTS, *_NUMBERS, "grade")
_TOKEN = re.compile(r'"[^"]*"|[<>]=?|[=:]|[^\s<>=:"]+|"')
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": lambda number, wanted: abs(number - wanted) < 0.5,
}
_SIGNS = frozenset({*_COMPARE, ":"})


class FilterProblem(KatauiError):
    """A filter cannot be understood; ``position`` is the index of the character where it stops."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message, hint=HELP)
        self.position = position


class RowLike(Protocol):
    """What a filter looks at; fractions are 0..1, None is not measured, "" is no grade."""

    @property
    def name(self) -> str: ...  # noqa: D102 - named in the class
    @property
    def grade(self) -> str: ...  # noqa: D102 - named in the class
    @property
    def score(self) -> float | None: ...  # noqa: D102 - named in the class
    @property
    def waits(self) -> float | None: ...  # noqa: D102 - named in the class
    @property
    def because(self) -> str: ...  # noqa: D102 - named in the class
    @property
    def because_role(self) -> str: ...  # noqa: D102 - named in the class
    @property
    def coverage(self) -> float: ...  # noqa: D102 - named in the class


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison. A grade is its place in "EDCBA"; text is folded."""

    field: str
    sign: str
    value: str | float
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """Alternatives of terms that must all be true; without any, everything matches."""

    text: str = ""
    alternatives: tuple[tuple[Term, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    position: int

    @property
    def word(self) -> str:
        """The word itself, without quotation marks."""
        return self.text[1:-1] if self.text.startswith('"') else self.text

    @property
    def keyword(self) -> str:
        """``or``, ``and``, ``not``, or nothing."""
        folded = self.text.casefold()
        return folded if folded in {"or", "and", "not"} else ""


def parse(text: str) -> Filter:
    """Understand a filter; raises ``FilterProblem``."""
    reader = _Reader(text)
    alternatives: list[tuple[Term, ...]] = []
    terms: list[Term] = []
    while (token := reader.peek()) is not None:
        if token.keyword in {"or", "and"}:
            reader.take()
            if not terms:
                raise FilterProblem(f"Something is missing before “{token.text}”.", token.position)
            if reader.peek() is None:
                raise reader.missing(f"after “{token.text}”")
            if token.keyword == "or":
                alternatives.append(tuple(terms))
                terms = []
            elif (following := reader.peek()) is not None and following.keyword in {"or", "and"}:
                raise reader.missing("after “and”")
        else:
            terms.append(reader.term())
    if terms:
        alternatives.append(tuple(terms))
    return Filter(text.strip(), tuple(alternatives))


class _Reader:
    """Takes terms from the tokens of a text."""

    def __init__(self, text: str) -> None:
        self._end = len(text)
        self._tokens = [_Token(found.group(), found.start()) for found in _TOKEN.finditer(text)]
        self._tokens.reverse()  # the next one is the last

    def peek(self) -> _Token | None:
        """The next token, if there is one."""
        return self._tokens[-1] if self._tokens else None

    def take(self) -> _Token:
        """The next token, which is there."""
        return self._tokens.pop()

    def missing(self, where: str) -> FilterProblem:
        """The problem that something is not there."""
        following = self.peek()
        position = following.position if following else self._end
        return FilterProblem(f"Something is missing {where}.", position)

    def term(self) -> Term:
        """One term, perhaps turned round."""
        token = self.take()
        negated = False
        while token.keyword == "not":
            negated = not negated
            following = self.peek()
            if following is None or following.keyword in {"or", "and"}:
                raise self.missing("after “not”")
            token = self.take()
        if token.text == '"':
            raise FilterProblem("The second quotation mark is missing.", token.position)
        if token.text in _SIGNS:
            raise FilterProblem(f"“{token.text}” needs a field before it.", token.position)
        sign = self.peek()
        if sign is None or sign.text not in _SIGNS:
            return Term("name", ":", token.word.casefold(), negated)
        self.take()
        field = token.text.casefold()
        if field not in _FIELDS:
            known = ", ".join(_FIELDS)
            shown = clean(token.word, limit=40)
            msg = f"“{shown}” is no field; there are {known}."
            raise FilterProblem(msg, token.position)
        return Term(field, sign.text.replace(":", "="), self._value(field, sign), negated)

    def _value(self, field: str, sign: _Token) -> str | float:
        value = self.peek()
        if value is None or value.text in _SIGNS:
            raise self.missing(f"after “{field} {sign.text}”")
        self.take()
        if field in _TEXTS:
            return _text_value(field, sign, value)
        if field == "grade":
            return _grade_value(value)
        return self._number_value(field, value)

    def _number_value(self, field: str, value: _Token) -> float:
        following = self.peek()
        if following is not None and following.text == "%":
            self.take()  # "5 %" as it is shown
        number = value.text.removesuffix("%")
        if not _NUMBER.fullmatch(number):
            shown = clean(value.text, limit=40)
            raise FilterProblem(f"{field} needs a number, not “{shown}”.", value.position)
        return float(number.replace(",", "."))


def _text_value(field: str, sign: _Token, value: _Token) -> str:
    if sign.text != ":":
        msg = f"{field} cannot be compared with “{sign.text}”; write {field}:text."
        raise FilterProblem(msg, sign.position)
    if value.text == '"':
        raise FilterProblem("The second quotation mark is missing.", value.position)
    return value.word.casefold()


def _grade_value(value: _Token) -> float:
    letter = value.text.upper()
    if len(letter) != 1 or letter not in _GRADES:
        shown = clean(value.text, limit=40)
        raise FilterProblem(f"A grade is a letter from A to E, not “{shown}”.", value.position)
    return float(_GRADES.index(letter))


def matches(wanted: Filter, row: RowLike) -> bool:
    """Whether a row is among those that were asked for."""
    if not wanted.alternatives:
        return True
    seen = _texts(row)
    measured = _numbers(row)
    return any(
        all(_is_true(term, seen, measured) != term.negated for term in terms)
        for terms in wanted.alternatives
    )


def _texts(row: RowLike) -> Mapping[str, str]:
    because = f"{row.because}\n{row.because_role}".casefold()
    return {"name": row.name.casefold(), "because": because}


def _numbers(row: RowLike) -> Mapping[str, float | None]:
    return {
        "grade": float(_GRADES.index(row.grade)) if row.grade else None,
        "score": row.score,
        "waits": None if row.waits is None else row.waits * 100,
        "coverage": row.coverage * 100,
    }


def _is_true(term: Term, texts: Mapping[str, str], numbers: Mapping[str, float | None]) -> bool:
    if isinstance(term.value, str):
        return term.value in texts[term.field]
    number = numbers[term.field]
    return number is not None and _COMPARE[term.sign](number, term.value)
