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
from collections.abc import Mapping
from functools import lru_cache

from PySide6.QtCore import QLocale, QObject, Signal

from kataui import resources

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch"}
_HOLE = "{}"
_WORD = re.compile(r"\w+", re.UNICODE)
_BREAKS = re.compile(r"(\n+| · |(?<=[.!?…]) )")
_DEEPEST = 4
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
        self.book: _Book | None = None
        self.hides = False
        self.names = {socket.gethostname(), getpass.getuser()} - {"", "root", "localhost"}


class _Book:
    """A translation: whole texts, and templates by a word that must be in the text."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = {text: said for text, said in texts.items() if _HOLE not in text}
        self._templates: dict[str, list[tuple[re.Pattern[str], str]]] = defaultdict(list)
        templates = (text for text in texts if _HOLE in text)
        for text in sorted(templates, key=lambda one: -len(one)):  # the most precise one first
            pattern = "(.+?)".join(re.escape(part) for part in text.split(_HOLE))
            found = re.compile(pattern, re.DOTALL), texts[text]
            self._templates[max(_whole_words(text), key=len, default="")].append(found)

    def say(self, text: str, deep: int = 0) -> str:
        """The translation, or the text itself when there is none."""
        said = self._texts.get(text) or self._filled(text, deep)
        if said is None and deep < _DEEPEST and len(parts := _BREAKS.split(text)) > 1:
            said = "".join(self.say(part, deep + 1) if part.strip() else part for part in parts)
        return said if said is not None else text

    def _filled(self, text: str, deep: int) -> str | None:
        if deep >= _DEEPEST:
            return None
        for word in dict.fromkeys(("", *_WORD.findall(text))):
            for pattern, said in self._templates.get(word, ()):
                match = pattern.fullmatch(text)
                if match is not None and not any(map(_BREAKS.search, match.groups())):
                    parts = [self.say(part, deep + 1) for part in match.groups()]
                    return said.format(*parts)
        return None


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


@lru_cache(maxsize=20_000)
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


def speak(language: str) -> None:
    """Use a language of ``LANGUAGES``, else the system's; call it before any widget is made."""
    wanted = language if language in LANGUAGES else QLocale.system().name().partition("_")[0]
    known = state()
    known.book = None
    if wanted in LANGUAGES and wanted != ENGLISH:
        known.book = _Book(json.loads(resources.text(f"languages/{wanted}.json")))
    _told.cache_clear()


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
