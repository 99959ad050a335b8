"""Sharing a recording: what is taken out of a copy, before it is written."""

from collections.abc import Callable

from PySide6.QtWidgets import QGridLayout

from kataui.files import clean
from kataui.isolation.redact import Preview
from kataui.ui import theme
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.page import Columns, Scroll
from kataui.ui.widgets.text import label

_MOST = 60
_LONG = 44


class ShareView(Scroll):
    """A preview of the redacted copy; ``write`` asks where it goes."""

    def __init__(self, write: Callable[[], None]) -> None:
        super().__init__(margin_u=0)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.banner = VerdictBanner()
        self.body.addWidget(self.banner)
        self.write = Button("Write the copy…", write, icon="save", kind="primary")
        self._write_row = row(self.write, None)
        columns = Columns(shares=(1, 1), narrow_u=170)
        self._names = Card("Replaced", note="here, and in the copy")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.u(4))
        self._grid.setVerticalSpacing(theme.u(1))
        self._grid.setColumnStretch(1, 1)
        self._names.body.addLayout(self._grid)
        self._out = Card("Left out", note="files of the host that may hold names")
        self._rest = Card("What stays")
        self._left_out = label("", "mono")
        self._stays = label("")
        self._out.body.addWidget(self._left_out)
        self._rest.body.addWidget(self._stays)
        columns.left.addWidget(self._names)
        columns.right.addWidget(self._rest)
        columns.right.addWidget(self._out)
        self.body.addWidget(columns)
        self.body.addLayout(self._write_row)
        self.begin()

    def begin(self) -> None:
        """Until it is known what would be taken out."""
        sentence = "Looking for names, addresses and command lines."
        self.banner.show_verdict("info", sentence, word="Reading the recording")
        self.write.set_reason("It is read first, to show what would be replaced.")
        for card in (self._names, self._out, self._rest):
            card.setVisible(False)

    def show_preview(self, found: Preview) -> None:
        """What would be replaced, left out, and kept."""
        markers = len(found.markers)
        mark = "unknown" if markers else "info"
        word = "Read the markers first" if markers else "Ready to write"
        sentence = (
            f"{len(found.replaced)} names are replaced, {len(found.left_out)} files of the host "
            "are left out; every counter stays as it is."
        )
        scope = "Addresses become zeros, command lines keep only the options that checks read."
        self.banner.show_verdict(mark, sentence, scope, word)
        self._fill(found)
        paths = [clean(path, limit=90) for path in found.left_out[:_MOST]]
        more = len(found.left_out) - len(paths)
        self._left_out.setText("\n".join([*paths, f"and {more} more"] if more > 0 else paths))
        words = [f"{found.kept_facts} files of the host without names."]
        if markers:
            names = ", ".join(clean(name) for name in found.markers[:_MOST])
            words.append(f"Markers keep their words: {names}.")
        self._stays.setText(" ".join(words))
        self._names.setVisible(bool(found.replaced))
        self._out.setVisible(bool(paths))
        self._rest.setVisible(True)
        self.write.set_reason("")

    def show_problem(self, text: str) -> None:
        """Why there is no preview."""
        self.banner.show_verdict("unknown", text, word="No copy")

    def _fill(self, found: Preview) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for line, (before, after) in enumerate(found.replaced[:_MOST]):
            self._grid.addWidget(label(_short(before), "mono", wrap=False), line, 0)
            self._grid.addWidget(label(_short(after), "mono", wrap=False), line, 1)
        more = len(found.replaced) - _MOST
        if more > 0:
            self._grid.addWidget(label(f"and {more} more", "note"), _MOST, 0)


def _short(text: str) -> str:
    text = clean(text, limit=200)
    return text if len(text) <= _LONG else f"{text[: _LONG // 2]}…{text[-_LONG // 2 + 1 :]}"
