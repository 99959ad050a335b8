"""What is shown, in the user's language, and without names while somebody presents.

Every text passes ``tr`` on its way into a widget; a test finds the ones that do not. The key of a
text is its English, ``{}`` in it stands for what is filled in. Core modules write English
sentences and know nothing of this: a filled-in sentence is told by its template.
"""

import getpass
import ipaddress
import json
import re
import socket
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from PySide6.QtCore import QLocale, QObject, Signal

from kataui import resources

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch"}
_HOLE = "{}"
_FILLED = re.compile(r"\{(\d*)\}")
_PROSE = re.compile(  # what shows English; a path or a name may well have such a word in it
    r"(?<![\w/.-])(?:[a-z]{2,},? [a-z]{2,}"
    r"|a|an|and|are|by|for|from|in|is|its?|no|not|of|on|or|the|to|with)(?![\w/-])"
)
_WORD = re.compile(r"\w+", re.UNICODE)
_BREAKS = re.compile(r"(\n+| · |(?<=[.!?]) |(?<=…) (?=[A-Z]))")  # a digest is cut by … too
_PIECES = re.compile(r"\n+| · |(?<=[.!?]) |(?<=…) (?=[A-Z])|(?<=\{\}) (?=[A-Z])")
_ENDING = re.compile(r"\.$| \d+$")
_LISTED = re.compile(r": |; |, | {2}| - ")
_LONGEST = 500  # of a text that is taken apart: each hole may begin anywhere
_MOST_KNOWN = 20_000
BAR = "▒"
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE)
_NAMES = re.compile(
    r"\b(?:\d{1,3}\.){3}\d{1,3}\b"
    rf"|\b{_MAC.pattern}\b"
    r"|(?<![\w:])[0-9a-f]*:[0-9a-f:]*:[0-9a-f]*(?![\w:])"
    r"|(?<=/home/)[^/\s]+"
    r"|\b[\w.+-]+(?=@[\w-])"
    r"|(?<![\w./-])(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|de|eu|edu|gov|cloud|local|internal|lan|corp)"
    r"(?![\w.-])"
    r"|[^\s=:]{0,6}•{4,}",
    re.IGNORECASE,
)
_PUBLIC = re.compile(
    r"(?:.*\.)?(?:example\.(?:com|org|net)|kubernetes\.io|k8s\.io|katacontainers\.io|tekton\.dev"
    r"|argoproj\.io|sigstore\.dev|istio\.io|linkerd\.io|opencontainers\.org|docker\.io|quay\.io"
    r"|ghcr\.io|gcr\.io|github\.com|gitlab\.com|confidentialcontainers\.org|openshift\.io|knative\.dev)",
    re.IGNORECASE,
)


class _State(QObject):
    """The language, and what must not be shown; ``changed`` asks for everything to be told anew."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.language = ENGLISH
        self.book: _Book | None = None
        self.hides = False
        self.names = {socket.gethostname(), getpass.getuser()} - {"", "root", "localhost"}


class _Book:
    """A translation: whole texts, and templates by a word that must be in the text."""

    def __init__(self, book: Mapping[str, str]) -> None:
        texts = {**_pieces(book), **book}
        self._texts = {text: said for text, said in texts.items() if _HOLE not in text}
        self._templates: dict[tuple[int, str], list[tuple[str, str]]] = defaultdict(list)
        self._known: dict[str, str] = {}
        templates = (text for text, said in texts.items() if _HOLE in text and said != text)
        for text in templates:
            word = max(_whole_words(text), key=len, default="")
            breaks = len(_BREAKS.findall(text))
            self._templates[breaks, word].append((text, texts[text]))

    def say(self, text: str) -> str:
        """The translation, or the text itself when there is none."""
        if (said := self._texts.get(text) or self._known.get(text)) is None:
            said = self._filled(text) or self._varied(text)
            said = said or self._sentences(text) or self._listed(text) or text
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[text] = said
        return said

    def _varied(self, text: str) -> str | None:
        """A part of a sentence made one of its own; a title with a number, as there are more."""
        core = _ENDING.sub("", text)
        said = self._texts.get(core)
        if said is None and (inner := self._texts.get(f"{core[:1].lower()}{core[1:]}")):
            said = f"{inner[:1].upper()}{inner[1:]}"
        return f"{said}{text[len(core) :]}" if said else None

    def _sentences(self, text: str) -> str | None:
        """Sentences, lines and facts one by one; each of them may stay as it is."""
        if len(parts := _BREAKS.split(text)) == 1:
            return None
        parts[::2] = [self.say(part) if part.strip() else part for part in parts[::2]]
        return "".join(parts)  # every other one is what stood between them

    def _listed(self, text: str) -> str | None:
        """What is only put together: a name and what it has, the items of a list."""
        if len(text) > _LONGEST:
            return None
        if (found := _LISTED.search(text)) is not None:
            parts = self._parts((text[: found.start()], text[found.end() :]))
            return found.group().join(parts) if parts else None
        core = text.strip(" .")
        if not core or core == text:
            return None
        before, _, after = text.partition(core)
        return f"{before}{self.say(core)}{after}"

    def _filled(self, text: str) -> str | None:
        if len(text) > _LONGEST:
            return None
        breaks = len(_BREAKS.findall(text))
        words = dict.fromkeys(("", *_WORD.findall(text)))
        near = (pair for word in words for pair in self._templates.get((breaks, word), ()))
        for template, said in sorted(near, key=lambda pair: -len(pair[0])):  # most precise first
            match = _pattern(template).fullmatch(text)
            parts = self._parts(match.groups()) if match is not None else None
            if parts is not None:
                return _fill(said, parts)
        return None

    def _parts(self, found: Sequence[str]) -> list[str] | None:
        """What fills a template; none when it is no filling but a sentence that is not known.

        Half a sentence in one language and half in another is worse than one in either; and what
        ends with a colon or a comma fills no hole, but was cut off at the wrong place.
        """
        parts = []
        for part in found:
            said = self.say(part) if part else part
            unknown = said == part and part not in self._texts and _PROSE.search(part)
            if _BREAKS.search(part) or part.endswith((":", ",", ";")) or unknown:
                return None
            parts.append(said)
        return parts


def _pieces(texts: Mapping[str, str]) -> dict[str, str]:
    """The sentences of each text alone: what is shown may be put together in another way."""
    pairs = ((_PIECES.split(text), _PIECES.split(said)) for text, said in texts.items())
    whole = (pair for pair in pairs if 1 < len(pair[0]) == len(pair[1]))
    pieces = (piece for parts, told in whole for piece in zip(parts, told, strict=True))
    return {part: said for part, said in pieces if part.count(_HOLE) == said.count(_HOLE)}


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """What a filled-in template looks like; made when it is first asked for: there are many."""
    return re.compile("(.*?)".join(map(re.escape, template.split(_HOLE))), re.DOTALL)


def _fill(said: str, parts: Sequence[str]) -> str:
    """Each part in the hole of its number, or in the next one. No str.format: other braces stay."""
    order = iter(parts)

    def part(hole: re.Match[str]) -> str:
        return parts[int(hole[1])] if hole[1] else next(order)

    return _FILLED.sub(part, said)


def _whole_words(template: str) -> list[str]:
    """The words of a template that touch no hole."""
    found = []
    for match in _WORD.finditer(template):
        around = template[max(0, match.start() - 1) : match.end() + 1]
        if "{" not in around and "}" not in around:
            found.append(match.group())
    return found


_state: _State | None = None


def state() -> _State:
    """The one state of the application's words."""
    global _state  # noqa: PLW0603 - made once, when Qt is there
    if _state is None:
        _state = _State()
    return _state


def tr(text: str) -> str:
    """``text`` as it is to be shown."""
    known = _state
    if known is None or not text or (known.book is None and not known.hides):
        return text
    return _told(text)


@lru_cache(maxsize=_MOST_KNOWN)
def _told(text: str) -> str:
    known = state()
    return plain(known.book.say(text) if known.book is not None else text)


def plain(text: str) -> str:
    """A text of others (a file, a command) as it is to be shown: never translated.

    While somebody presents, bars lie over host names, addresses and secrets, each as long as what
    it hides.
    """
    if _state is None or not _state.hides:
        return text

    def bars(match: re.Match[str]) -> str:
        name = match.group()
        return name if _PUBLIC.fullmatch(name) or _is_time(name) else BAR * len(name)

    shown = _NAMES.sub(bars, text)
    for name in _state.names:
        shown = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", BAR * len(name), shown)
    return shown


def _is_time(text: str) -> bool:
    """Whether colons stand in what is no address, such as a time."""
    if ":" not in text or _MAC.fullmatch(text):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return True
    return False


def speak(wished: str) -> None:
    """Use a language of ``LANGUAGES``, else the system's; call it before any widget is made."""
    wanted = wished if wished in LANGUAGES else QLocale.system().name().partition("_")[0]
    known = state()
    known.language = wanted if wanted in LANGUAGES else ENGLISH
    known.book = None
    if known.language != ENGLISH:
        known.book = _Book(json.loads(resources.text(f"languages/{known.language}.json")))
    _told.cache_clear()


def language() -> str:
    """The language that is spoken, one of ``LANGUAGES``."""
    return state().language


def keep_private(name: str) -> None:
    """Hide this name, too, while somebody presents: that of a host which is watched."""
    if len(name) > 1:
        state().names.add(name)
        _told.cache_clear()


def hide_names(*, hidden: bool) -> None:
    """Show bars for host names, addresses and secrets; or everything again."""
    state().hides = hidden
    _told.cache_clear()
    state().changed.emit()
