"""What a desktop wants beside the program: menu entry, icons, types, manual page, completions."""

import datetime as dt
import gzip
import os
import shutil
from pathlib import Path

from place import APP_ID, ROOT, VERSION, Place

ICON_PX = (16, 22, 24, 32, 48, 64, 128, 256, 512)
_SOURCES = ROOT / "packaging" / "desktop"


def write(place: Place, share: Path) -> None:
    """Fill ``share`` (as in /usr/share)."""
    _put(share / "applications" / f"{APP_ID}.desktop", _read(".desktop"))
    day = dt.datetime.fromtimestamp(place.moment_s, dt.UTC).date().isoformat()
    meta = _read(".metainfo.xml").replace("@VERSION@", VERSION).replace("@DATE@", day)
    _put(share / "metainfo" / f"{APP_ID}.metainfo.xml", meta)
    _put(share / "mime" / "packages" / f"{APP_ID}.xml", _read(".mime.xml"))
    _icons(share / "icons" / "hicolor")
    _manual(share / "man" / "man1" / "kataui.1.gz", place.moment_s)
    _completions(share)


def _read(suffix: str) -> str:
    return (_SOURCES / f"{APP_ID}{suffix}").read_text(encoding="utf-8")


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _icons(hicolor: Path) -> None:
    """The drawing itself, and a picture of it at every size that desktops ask for."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtGui import QGuiApplication, QImage, QPainter  # noqa: PLC0415 - slow
    from PySide6.QtSvg import QSvgRenderer  # noqa: PLC0415 - slow

    app = QGuiApplication.instance() or QGuiApplication([])
    drawing = ROOT / "resources" / "icons" / "app.svg"
    scalable = hicolor / "scalable" / "apps" / f"{APP_ID}.svg"
    scalable.parent.mkdir(parents=True)
    shutil.copyfile(drawing, scalable)
    for size in ICON_PX:
        picture = QImage(size, size, QImage.Format.Format_ARGB32)
        picture.fill(0)
        painter = QPainter(picture)
        QSvgRenderer(str(drawing)).render(painter)
        painter.end()
        path = hicolor / f"{size}x{size}" / "apps" / f"{APP_ID}.png"
        path.parent.mkdir(parents=True)
        picture.save(str(path))
    del app


def _manual(path: Path, moment_s: int) -> None:
    import manpage  # noqa: PLC0415 - it loads the command line

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(manpage.text(moment_s).encode())


def _completions(share: Path) -> None:
    import parsers  # noqa: PLC0415 - it loads the command line
    import shtab  # noqa: PLC0415 - as above

    places = {
        "bash": share / "bash-completion" / "completions" / "kataui",
        "zsh": share / "zsh" / "vendor-completions" / "_kataui",
        "fish": share / "fish" / "vendor_completions.d" / "kataui.fish",
    }
    for shell in set(shtab.SUPPORTED_SHELLS) & set(places):
        _put(places[shell], shtab.complete(parsers.whole(), shell))
