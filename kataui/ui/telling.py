"""Saying in the window what went wrong: without the options of the command line."""

import re

from kataui.errors import KatauiError

_OURS = (
    r"--(?:base|layers|force|key|recipient|profile|platform|passphrase-file|passphrase-fd|"
    r"public-key|images|receipt|require|remove|add|admin-token-file|from|have|insecure|inventory|"
    r"kbs-url|out|policy|sign-key|split|tee)\b"
)
_CLAUSE = re.compile(rf"(?:,? (?:or|nor|not even) [^,.;]*|,? (?:with|by|using) ){_OURS}[^,.;]*")
_OURS_ANYWHERE = re.compile(_OURS)
_SENTENCE = re.compile(r"(?<=[.!?]) +")


def problem_words(error: object) -> tuple[str, str]:
    """What happened, and what to do about it; a defect points to the log."""
    if isinstance(error, KatauiError):
        return in_window(error.message), in_window(error.hint)
    return f"A defect: {error!r:.200}", "See the log file."


def in_window(text: str) -> str:
    """The text without clauses, and then without sentences, that name an option of ours."""
    sentences = _SENTENCE.split(_CLAUSE.sub("", text))
    return " ".join(part for part in sentences if not _OURS_ANYWHERE.search(part))
