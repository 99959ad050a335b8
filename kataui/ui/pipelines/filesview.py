"""The files that come out: a tab each, with what the last answer changed."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from kataui.findings import Finding, by_severity
from kataui.pipelines.model import OutputFile
from kataui.pipelines.render import Lines
from kataui.ui import icons, theme
from kataui.ui.pipelines.findingsbox import kind_of
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import hairline, row
from kataui.ui.widgets.codeview import CodeView
from kataui.ui.words import tr

_TOLD_MS = 2000


class FilesView(QWidget):
    """``asked`` gives (file, line) for which the user wants to see the field.

    Only the file that is shown is brought up to date at once; others when their tab is chosen.
    """

    asked = Signal(str, int)
    turned = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._files: dict[str, OutputFile] = {}
        self._views: dict[str, CodeView] = {}
        self._changed: Lines = {}
        self._by = ""
        self._findings: Mapping[str, Sequence[Finding]] = {}
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.setAccessibleName(tr("Files"))
        self.tabs.currentChanged.connect(self._on_tab)
        self._stack = QStackedWidget()
        self._copy = Button("Copy", self.copy, icon="copy", name="Copy the file")
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(lambda: self._copy.set_words("Copy", icon="copy"))
        head = row(self.tabs, self._copy)
        head.setStretch(0, 1)
        head.setContentsMargins(theme.u(3), theme.u(1.5), theme.u(2.5), theme.u(1))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(hairline())
        layout.addWidget(self._stack, 1)

    @property
    def current(self) -> str:
        """The path of the file that is shown."""
        paths = list(self._files)
        return paths[self.tabs.currentIndex()] if 0 <= self.tabs.currentIndex() < len(paths) else ""

    @property
    def view(self) -> CodeView | None:
        """The code that is shown."""
        return self._views.get(self.current)

    def show_files(self, files: Sequence[OutputFile], changed: Lines, by: str) -> None:
        """Show what came out, and what the answer ``by`` changed in it."""
        self._changed, self._by = changed, by
        paths = [file.path for file in files]
        if paths != list(self._files):
            self._set_tabs(files)
        self._files = {file.path: file for file in files}
        self._mark_tabs()
        self._bring_up()

    def _set_tabs(self, files: Sequence[OutputFile]) -> None:
        shown = self.current
        self.tabs.blockSignals(True)  # noqa: FBT003 - Qt's own
        while self.tabs.count():
            self.tabs.removeTab(0)
        self._files = {file.path: file for file in files}
        for file in files:
            number = self.tabs.addTab(PurePosixPath(file.path).name.replace("&", "&&"))
            self.tabs.setTabToolTip(number, file.path)
        paths = list(self._files)
        self.tabs.setCurrentIndex(paths.index(shown) if shown in paths else 0)
        self.tabs.blockSignals(False)  # noqa: FBT003 - Qt's own

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Mark the lines of all files."""
        found: dict[str, list[Finding]] = {}
        for finding in findings:
            if finding.location is not None:
                found.setdefault(finding.location.file, []).append(finding)
        self._findings = found
        for path, view in self._views.items():
            view.show_findings(found.get(path, ()))
        self._mark_tabs()

    def _mark_tabs(self) -> None:
        """The worst finding of a file, or a dot where another file was changed."""
        for number, path in enumerate(self._files):
            worst = by_severity(self._findings.get(path, ()))
            icon, side = QIcon(), theme.u(3.5)
            if worst:
                icon = QIcon(icons.mark(kind_of(worst[0]), side))
            elif path in self._changed and path != self.current:
                icon = icons.icon("flag", "accent", size_px=side)
            self.tabs.setTabIcon(number, icon)
            words = ", changed" if path in self._changed else ""
            told = f", {kind_of(worst[0])}" if worst else ""
            self.tabs.setAccessibleTabName(number, f"{path}{told}{words}")

    def _on_tab(self, _: int) -> None:
        self._bring_up()
        self.turned.emit(self.current)

    def _bring_up(self) -> None:
        """The text and the marks of the file that is shown."""
        path = self.current
        if not path:
            return
        file = self._files[path]
        view = self._views.get(path)
        if view is None:
            view = CodeView(path)
            view.asked.connect(lambda line, path=path: self.asked.emit(path, line))
            view.show_findings(self._findings.get(path, ()))
            self._views[path] = view
            self._stack.addWidget(view)
        view.show_text(file.text.removesuffix("\n"), file.language)
        lines = self._changed.get(path, frozenset())
        view.show_changed(lines, self._by)
        if lines:
            view.bring_into_view(min(lines))
        self._stack.setCurrentWidget(view)

    def go_to(self, path: str, line: int, *, focus: bool = True) -> bool:
        """Show a line; gives whether there is such a file."""
        paths = list(self._files)
        if path not in paths:
            return False
        self.tabs.setCurrentIndex(paths.index(path))
        view = self._views[path]
        view.go_to(line)
        if focus:
            view.setFocus()
        return True

    def turn(self, by: int) -> None:
        """Show the next or the previous file."""
        if self.tabs.count():
            self.tabs.setCurrentIndex((self.tabs.currentIndex() + by) % self.tabs.count())

    def copy(self) -> None:
        """The file that is shown, to the clipboard."""
        if self.current:
            QGuiApplication.clipboard().setText(self._files[self.current].text)
            self._copy.set_words("Copied", icon="check")
            self._again.start(_TOLD_MS)
