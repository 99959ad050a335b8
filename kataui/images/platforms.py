"""Which platforms of an index are wanted.

Source: OCI image-spec v1.1, image-index.md, "platform"; names as in Go's GOOS and GOARCH.
"""

import re

from kataui.errors import ImageError
from kataui.files import clean
from kataui.images.model import Platform

_PLATFORM = re.compile(r"([a-z0-9_]+)/([a-z0-9_]+)(?:/([a-z0-9._]+))?", re.ASCII)


def parse_platforms(text: str) -> tuple[Platform, ...]:
    """``linux/arm64/v8``, several with commas; "" and "all" give none, which means all.

    Raises ``ImageError`` for anything else.
    """
    if text in {"", "all"}:
        return ()
    return tuple(_parse(part.strip()) for part in text.split(","))


def _parse(text: str) -> Platform:
    match = _PLATFORM.fullmatch(text.lower())
    if match is None:
        raise ImageError(
            f"{clean(text, limit=60)!r} is not a platform.",
            hint="Write OS/ARCHITECTURE, for example linux/arm64, or all.",
        )
    return Platform(match.group(1), match.group(2), match.group(3) or "")


def is_wanted(platform: Platform, wanted: tuple[Platform, ...]) -> bool:
    """Whether the platform is one of those wanted; none wanted means all."""
    return not wanted or any(_matches(platform, wish) for wish in wanted)


def _matches(platform: Platform, wish: Platform) -> bool:
    same = (platform.os, platform.architecture) == (wish.os, wish.architecture)
    return same and (not wish.variant or _variant(platform) == wish.variant)


def _variant(platform: Platform) -> str:
    # containerd, platforms/database.go: arm64 without a variant is v8
    return platform.variant or ("v8" if platform.architecture == "arm64" else "")
