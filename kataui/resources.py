"""Finding the files of ``resources/``: in a checkout, or inside the installed package."""

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "resources_data"  # pyproject.toml puts them there in the wheel


def path(name: str) -> Path:
    """The path of a resource such as ``icons/lock.svg``."""
    root = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "resources"
    return root / name


@cache
def text(name: str) -> str:
    """A text resource, read once."""
    return path(name).read_text(encoding="utf-8")
