"""Recognising likely secrets in texts that encryption does not hide.

A careful guess: names that say "secret", shapes that token makers published, and random texts.
Source of the shapes: the documentation of each maker (AWS, GitHub, GitLab, Stripe, Slack, ...).
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from kataui.files import clean

_SCANNED = 1 << 16  # characters of one text; longer ones are no setting
_SHAPES = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[opsur]_[A-Za-z0-9]{36,255}\b|\bgithub_pat_[A-Za-z0-9_]{40,255}\b"
    r"|\bglpat-[\w-]{20,64}|\bdckr_pat_[\w-]{20,64}|\bnpm_[A-Za-z0-9]{36}\b|\bhf_[A-Za-z]{30,40}\b"
    r"|\b[sr]k_(?:live|test)_[0-9A-Za-z]{8,255}|\bsk-[A-Za-z0-9_-]{32,255}|\bhvs\.[\w-]{24,255}"
    r"|\bxox[abeoprs]-[0-9A-Za-z-]{10,255}|\bAIza[\w-]{35}\b|\bSG\.[\w-]{16,32}\.[\w-]{16,64}"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY|\bAGE-SECRET-KEY-1[0-9A-Z]{58}"
    r"|\beyJ[\w-]{8,4096}\.eyJ[\w-]{8,4096}\.[\w-]{0,4096}"
    r"|\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,100}:[^\s/:@$<{*]{1,200}@[^\s/]",
    re.ASCII,
)
_ASSIGNMENT = re.compile(
    r"(?<![\w.$-])(?:--)?([A-Za-z_][A-Za-z0-9_.-]{0,100})"
    r"(?:=|(?<=[Pp]assword) |(?<=token) |(?<=secret) )"
    r"(\"[^\"]{0,4096}\"|'[^']{0,4096}'|[^\s\"';|&]{1,4096})",
    re.ASCII,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRET_WORDS = _set(
    "password passwd passphrase pass pwd secret secrets token credential credentials apikey "
    "privatekey accesskey secretkey authtoken psk"
)
_SECRET_TAILS = ("password", "passwd", "passphrase")  # PGPASSWORD
_KEY_KINDS = _set(
    "api access private secret encryption signing master account storage service auth license "
    "admin jwt hmac aes"
)
# a name that ends so tells about a secret, but holds none
_HARMLESS_ENDS = _set(
    "file path dir directory url uri endpoint host name user username id ids type kind algorithm "
    "alg ttl timeout expiry lifetime length size count min max policy header issuer audience "
    "enabled disabled required version sha sha1 sha256 sha512 md5 checksum digest hash fingerprint "
    "public pub location store provider manager command cmd prompt field format prefix"
)
_PUBLIC_WORDS = _set(
    "sha sha1 sha256 sha384 sha512 md5 checksum checksums digest hash integrity commit revision "
    "rev ref gpg pgp fingerprint version public pub uuid"
)
_NO_VALUES = _set(
    "true false yes no on off none null nil undefined empty required optional enabled disabled "
    "file env prompt stdin auto default"
)
_NUMBER = re.compile(r"[+-]?[0-9.]+[a-z]{0,2}", re.ASCII)
_RANDOM = re.compile(r"[A-Za-z0-9+/_-]{24,512}={0,2}", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F-]+", re.ASCII)
_RANDOM_BITS = 4.2  # Shannon bits a character: words have under 4, 32 random base64 ones 4.6
_MASK = "•" * 8
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Leak:
    """A likely secret; ``name`` is empty when only its shape tells. The value is never shown."""

    name: str
    masked: str

    @property
    def shown(self) -> str:
        """For people: ``PAYMENT_API_KEY=sk_l••••••••``."""
        return f"{self.name}={self.masked}" if self.name else self.masked


def likely_secret(name: str, value: str) -> bool:
    """Whether a setting looks like a secret by its name, shape or randomness."""
    text = _unquoted(value)[:_SCANNED]
    if _SHAPES.search(text):
        return True
    if not _is_value(text):
        return False
    words = _words(name)
    return _names_secret(words) or (not _PUBLIC_WORDS.intersection(words) and _random(text))


def setting_leak(name: str, value: str) -> Leak | None:
    """The leak in one setting, or None."""
    if not likely_secret(name, value):
        return None
    return Leak(clean(name, limit=80), masked(_unquoted(value)))


def text_leaks(text: str) -> Iterator[Leak]:
    """The leaks in a command line: assignments, options and tokens by their shape."""
    rest = text[:_SCANNED]
    for match in _ASSIGNMENT.finditer(rest):
        leak = setting_leak(match.group(1), match.group(2))
        if leak is not None:
            yield leak
    for shape in _SHAPES.finditer(_ASSIGNMENT.sub(" ", rest)):
        yield Leak("", masked(shape.group()))


def mask_text(text: str) -> str:
    """A command line with the values of its leaks masked, for showing it."""

    def assignment(match: re.Match[str]) -> str:
        name, value = match.group(1), match.group(2)
        leak = setting_leak(name, value)
        return match.group() if leak is None else match.group().replace(value, leak.masked)

    return _SHAPES.sub(lambda match: masked(match.group()), _ASSIGNMENT.sub(assignment, text))


def masked(value: str) -> str:
    """At most the first 4 characters, of short values fewer; the length is not told."""
    return clean(value[: min(_SHOWN, len(value) // 3)]) + _MASK


def _unquoted(value: str) -> str:
    text = value.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def _is_value(text: str) -> bool:
    """Whether it is a value at all, and not a variable, path, place holder, switch or number."""
    if len(text) < 4 or text.startswith(("$", "/", "./", "~", "<", "{{", "%", "`")):
        return False
    return text.lower() not in _NO_VALUES and not _NUMBER.fullmatch(text)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", _CAMEL.sub("_", name).lower()) if word]


def _names_secret(words: list[str]) -> bool:
    if not words or words[-1] in _HARMLESS_ENDS:
        return False
    if any(word in _SECRET_WORDS or word.endswith(_SECRET_TAILS) for word in words):
        return not {"public", "pub"}.intersection(words)
    return any(
        kind in _KEY_KINDS and key in {"key", "keys"} for kind, key in itertools.pairwise(words)
    )


def _random(text: str) -> bool:
    """Whether it is a long mix of letters and digits as only a generator makes it."""
    if not _RANDOM.fullmatch(text) or _HEX.fullmatch(text):
        return False
    kinds = (str.islower, str.isupper, str.isdigit)
    if not all(any(kind(char) for char in text) for kind in kinds):
        return False
    counts = Counter(text).values()
    bits = -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
    return bits >= _RANDOM_BITS
