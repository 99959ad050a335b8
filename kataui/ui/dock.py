"""Progress of work whose page is not shown: one line above the status line."""

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar

from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.progress import ENDING, ProgressPanel
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_FULL = 1000


class ProgressDock(QFrame):
    """Follows the panel of one page; hidden while there is none."""

    def __init__(self, show_page: Callable[[str], None]) -> None:
        super().__init__()
        self.setProperty("look", "dock")
        self._show_page = show_page
        self._key = ""
        self._panel: ProgressPanel | None = None
        self._title = label("", "strong", wrap=False)
        self._step = label("", "dim", wrap=False)
        self._step.setMinimumWidth(1)  # the figures matter more
        self._figures = label("", "note", wrap=False)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(tr("Progress"))
        self._bar.setFixedWidth(theme.u(40))
        self._go = Button("Show", lambda: self._show_page(self._key), kind="quiet")
        self._stop = Button("Cancel", self._cancel, kind="quiet", name="Cancel the work")
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.u(7), theme.u(1), theme.u(6), theme.u(1))
        line.setSpacing(theme.u(3))
        for part in (self._title, self._bar, self._step, self._figures):
            line.addWidget(part)
        line.addStretch(1)
        line.addWidget(self._go)
        line.addWidget(self._stop)
        self.hide()

    @property
    def text(self) -> str:
        """What it says; nothing while it is hidden."""
        parts = (self._title.text(), self._step.text(), self._figures.text())
        return "" if self.isHidden() else ", ".join(part for part in parts if part)

    def follow(self, key: str, title: str, panel: ProgressPanel | None) -> None:
        """Show the progress of the page ``key``, or nothing."""
        if self._panel is not None:
            self._panel.changed.disconnect(self._refresh)
        self._key, self._panel = key, panel
        if panel is not None:
            self._title.setText(title)
            self._go.setAccessibleName(tr(f"Show {title}"))
            panel.changed.connect(self._refresh)
            self._refresh()
        self.setVisible(panel is not None)

    def _refresh(self) -> None:
        panel = self._panel
        if panel is None:
            return
        self._step.setText(panel.step)
        self._figures.setText(panel.figures)
        share = panel.per_mille
        self._bar.setRange(0, 0 if share is None else _FULL)
        self._bar.setValue(share or 0)
        self._stop.set_reason(ENDING if panel.cancelled else "")

    def _cancel(self) -> None:
        if self._panel is not None:
            self._panel.cancel()
