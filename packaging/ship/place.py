"""Where things are built, and the one moment that all of them carry."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APP_ID = "org.kataui.Kataui"
VERSION = re.findall(r'__version__ = "(.+)"', (ROOT / "kataui" / "__init__.py").read_text())[0]


@dataclass(frozen=True, slots=True)
class Place:
    """``out`` is the folder of what is made; ``moment_s`` the time in every archive (Unix)."""

    out: Path
    moment_s: int

    @property
    def build(self) -> Path:
        """What is needed on the way."""
        return self.out / "build"

    @property
    def folder(self) -> Path:
        """The self-contained program."""
        return self.out / "kataui"

    @property
    def program(self) -> Path:
        """Its executable."""
        return self.folder / "kataui"


def moment_s() -> int:
    """SOURCE_DATE_EPOCH, else the time of the last commit, else that of the newest source."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given:
        return int(given)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    try:
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return max(int(path.stat().st_mtime) for path in (ROOT / "kataui").rglob("*.py"))


def size_text(path: Path) -> str:
    """Of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    size = sum(file.lstat().st_size for file in files)
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
