"""``kataui demo``: the window on sample data, and the talk; nothing is written elsewhere."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFrame, QHBoxLayout

from kataui import logs
from kataui.ui import app as application
from kataui.ui import theme
from kataui.ui.crash import CrashReporter
from kataui.ui.demo.scratch import Scratch, make_scratch
from kataui.ui.demo.stage import Stage
from kataui.ui.demo.story import chapters
from kataui.ui.icons import IconLabel
from kataui.ui.presenter import SIZES, Presenter, Talk
from kataui.ui.telling import problem_words
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.text import label
from kataui.ui.window import HOME, Window
from kataui.ui.words import tr

_SAYS = "This is a demo: sample data in a scratch folder, which is gone when you close the window."
_MAKING = "The sample data is being made."
_INCIDENT = "network-flood"


class DemoNotice(QFrame):
    """The line above all pages: that this is a demo, and the talk."""

    def __init__(self, talk: Callable[[], object]) -> None:
        super().__init__()
        self.setProperty("look", "info")
        self.setAccessibleName(tr("Demo"))
        self.talk = Button("Start the talk", talk, icon="play")
        self.talk.set_reason(_MAKING)
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.u(7), theme.u(1.5), theme.u(4), theme.u(1.5))
        line.setSpacing(theme.u(2.5))
        line.addWidget(IconLabel("demo", size_u=4.5))
        line.addWidget(label(_SAYS), 1)
        line.addWidget(self.talk)


class Demo:
    """One demo in one window."""

    def __init__(self, window: Window, folder: Path) -> None:
        self.window, self._folder = window, folder
        self.stage: Stage | None = None
        self.presenter: Presenter | None = None
        self.notice = DemoNotice(self.present)
        window.add_notice(self.notice)
        window.begin_talk = self.present

    def begin(self, then: Callable[[], None] = lambda: None) -> None:
        """Make the sample data in the background; ``then`` is called when it is shown."""

        def made(scratch: Scratch) -> None:
            self.stage = Stage(self.window, scratch)
            self.notice.talk.set_reason("")
            self.show_all()
            then()

        self.window.jobs.start(
            lambda control: make_scratch(self._folder / "shop", control),
            on_done=made,
            on_error=lambda error: self.window.show_problem(*problem_words(error)),
        )

    def show_all(self) -> None:
        """Open what there is to see; Home is shown."""
        stage = self.stage
        if stage is None:
            return
        stage.open_form()
        stage.open_image(stage.scratch.source)
        stage.open_image(stage.scratch.protected)
        stage.open_pod(stage.scratch.live)
        stage.open_recording(_INCIDENT)
        stage.window.go(HOME)

    def present(self, percent: int = SIZES[0]) -> None:
        """Begin the talk."""
        stage = self.stage
        if stage is None or self.presenter is not None:
            return
        self.notice.hide()
        talk = Talk(chapters(stage), "Demo data", lambda: stage.busy, stage.clear)
        self.presenter = Presenter(self.window, talk, percent)
        self.presenter.ended.connect(self._ended)
        self.presenter.start()

    def _ended(self) -> None:
        if self.presenter is not None:
            self.presenter.deleteLater()
        self.presenter = None
        self.notice.show()
        self.show_all()


def main(folder: Path, *, talk: bool = False, percent: int = SIZES[0]) -> int:
    """Show the demo until its window is closed; gives the exit status.

    ``talk`` begins with the talk, its text at ``percent``. All that is written is in ``folder``.
    """
    logs.watch_crashes()
    app = application.make_application([])
    window = application.make_window()
    CrashReporter(window, window.show_problem).install()
    demo = Demo(window, folder)
    window.show()
    demo.begin(partial(_begin, demo, percent) if talk else lambda: None)
    return application.run(app, window)


def _begin(demo: Demo, percent: int) -> None:
    demo.window.showFullScreen()
    demo.present(percent)
