"""What a view shows as a file: a table as CSV, a picture as PNG or SVG."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from kataui.files import write_new


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as RFC 4180: a header with units, a line a row; what is not known is empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def png(widget: QWidget, path: Path) -> None:
    """Write a widget as it looks now. Raises ``DestinationProblem``."""
    store = QByteArray()
    buffer = QBuffer(store)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    widget.grab().save(buffer, "PNG")
    write_new(path, bytes(store.data()))


def svg(widget: QWidget, path: Path, title: str) -> None:
    """Write a widget as lines and text. Raises ``DestinationProblem``."""
    store = QByteArray()
    buffer = QBuffer(store)
    writer = QSvgGenerator()
    writer.setOutputDevice(buffer)
    writer.setResolution(widget.logicalDpiX())
    writer.setSize(widget.size())
    writer.setViewBox(widget.rect())
    writer.setTitle(title)
    widget.render(writer)
    write_new(path, bytes(store.data()))


def number(value: float | None) -> str:
    """A number for a file: six digits, a point; empty when it was not measured."""
    return "" if value is None or value != value else f"{value:.6g}"  # noqa: PLR0124 - NaN


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8. Raises ``DestinationProblem``."""
    write_new(path, text.encode("utf-8"))
