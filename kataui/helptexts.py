"""The help: a text for each page and term, in ``resources/help/LANGUAGE``, searched offline.

A text is Markdown: ``# Title``, one sentence that says what it is, then the rest. Links are
``[words](term:NAME)`` and ``[words](page:NAME)``.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

from kataui import resources

Kind = Literal["page", "term"]
_FOLDERS: dict[Kind, str] = {"page": "pages", "term": "terms"}
_ENGLISH = "en"
_LINK = re.compile(r"\[([^\]]+)\]\((?:term|page):[\w-]+\)")


@dataclass(frozen=True, slots=True)
class Topic:
    """One text; ``summary`` is its first sentence, ``text`` the Markdown below the title."""

    kind: Kind
    name: str
    title: str
    summary: str
    text: str

    @property
    def address(self) -> str:
        """As links name it: ``term:digest``."""
        return f"{self.kind}:{self.name}"


@cache
def topics(language: str = _ENGLISH) -> tuple[Topic, ...]:
    """Every topic in a language ("en", "de"), pages first, each by its title."""
    found = [
        _parsed(kind, path.stem, path.read_text(encoding="utf-8"))
        for kind, folder in _FOLDERS.items()
        for path in resources.path(f"help/{language}/{folder}").glob("*.md")
    ]
    return tuple(sorted(found, key=lambda topic: (topic.kind, _plain(topic.title))))


def _parsed(kind: Kind, name: str, raw: str) -> Topic:
    title, _, text = raw.partition("\n")
    first = text.strip().split("\n", 1)[0]
    return Topic(
        kind, name, title.removeprefix("# ").strip(), _LINK.sub(r"\1", first), text.strip()
    )


def topic(address: str, language: str = _ENGLISH) -> Topic | None:
    """The topic of an address such as ``page:home``; None when there is none."""
    return next((one for one in topics(language) if one.address == address), None)


def search(words: str, language: str = _ENGLISH) -> tuple[Topic, ...]:
    """The topics that have every word, at the beginning of one of theirs; the best ones first.

    A word in the title counts most, then one in the summary. Case and accents do not matter.
    """
    wanted = _plain(words).split()
    if not wanted:
        return topics(language)
    ranked = [(rank, one) for one in topics(language) if (rank := _rank(one, wanted)) is not None]
    return tuple(one for _, one in sorted(ranked, key=lambda pair: pair[0]))


def _rank(one: Topic, wanted: list[str]) -> int | None:
    """The sum of the places where the words are; None when one is nowhere."""
    places = [_words(one.title), _words(one.summary), _words(_LINK.sub(r"\1", one.text))]
    total = 0
    for word in wanted:
        found = [
            number for number, place in enumerate(places) if any(x.startswith(word) for x in place)
        ]
        if not found:
            return None
        total += found[0]
    return total


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", _plain(text))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))
