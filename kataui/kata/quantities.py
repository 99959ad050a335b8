"""Kubernetes quantities of CPUs and bytes.

Source: k8s.io/apimachinery, pkg/api/resource/quantity.go ("<signedNumber><suffix>").
"""

import re
from decimal import ROUND_UP, Decimal

from kataui.errors import KatauiError
from kataui.files import clean

_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_SUFFIX = r"(?:[EPTGM]i?|k|Ki|[num]|[eE][+-]?[0-9]{1,2})"
_FORM = re.compile(rf"([+-]?{_NUMBER})({_SUFFIX})?")
AMOUNT = rf"^\+?{_NUMBER}{_SUFFIX}?$"  # of something that a machine has: not below 0
_SUFFIXES = {"": Decimal(1), "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")}
_SUFFIXES |= {suffix: Decimal(1000) ** (i + 1) for i, suffix in enumerate("kMGTPE")}
_SUFFIXES |= {f"{suffix}i": Decimal(1024) ** (i + 1) for i, suffix in enumerate("KMGTPE")}
_BINARY = (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10))


class QuantityError(KatauiError):
    """A text is no quantity."""


def parse_quantity(text: object) -> Decimal:
    """The number that a quantity means; YAML gives bare numbers. Raises ``QuantityError``."""
    found = None
    if isinstance(text, str | int | float) and not isinstance(text, bool) and len(str(text)) < 40:
        found = _FORM.fullmatch(str(text))
    if found is None:
        raise QuantityError(
            f"{clean(str(text), limit=40)!r} is no quantity such as 500m, 2 or 4Gi.",
            hint="Numbers with a suffix of Kubernetes: m, k, M, G, Ki, Mi, Gi ...",
        )
    number, suffix = Decimal(found[1]), found[2] or ""
    if suffix[:1] in ("e", "E") and len(suffix) > 1 and suffix != "Ei":
        return number * Decimal(10) ** int(suffix[1:])
    return number * _SUFFIXES[suffix]


def parse_cpus(text: object) -> Decimal:
    """CPUs, in cores; Kubernetes rounds up to a thousandth. Raises ``QuantityError``."""
    return _amount(text).quantize(Decimal("0.001"), ROUND_UP)


def parse_bytes(text: object) -> int:
    """Bytes, rounded up. Raises ``QuantityError``."""
    return int(_amount(text).to_integral_value(ROUND_UP))


def _amount(text: object) -> Decimal:
    """A quantity of something that a machine has: Kubernetes refuses such below 0."""
    found = parse_quantity(text)
    if found < 0:
        raise QuantityError(f"{clean(str(text), limit=40)!r} is less than nothing.")
    return found


def meant(text: str) -> str:
    """What was meant by a text that is no quantity: ``4G`` by ``4GB``; "" when nobody can tell."""
    found = re.fullmatch(rf"\s*({_NUMBER})\s*([kmgtpe]i?)b?\s*", text, re.IGNORECASE | re.ASCII)
    if found is None:
        return ""
    scale, binary = found[2][0].upper(), len(found[2]) > 1
    return f"{found[1]}{'k' if scale == 'K' and not binary else scale}{'i' if binary else ''}"


def cpus_text(cpus: Decimal) -> str:
    """CPUs as Kubernetes writes them: ``2``, ``250m``."""
    milli = int((cpus * 1000).to_integral_value(ROUND_UP))
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def bytes_text(size_bytes: int) -> str:
    """Bytes as Kubernetes writes them, in the largest binary unit that is exact: ``4Gi``."""
    for suffix, unit in _BINARY:
        if size_bytes % unit == 0 and size_bytes:
            return f"{size_bytes // unit}{suffix}"
    return str(size_bytes)
