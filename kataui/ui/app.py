"""Starting the window."""

import gc
import os
import signal
import sys
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QTimer, QTranslator
from PySide6.QtWidgets import QApplication, QWidget

import kataui
from kataui import logs, settings
from kataui.ui import commanddialog, icons, session, single, theme, words
from kataui.ui.acts import Act, Items
from kataui.ui.computer.around import look_around
from kataui.ui.computer.networkproof import NetworkProof
from kataui.ui.crash import CrashReporter
from kataui.ui.demo.apart import open_demo
from kataui.ui.home import Actions, HomePage
from kataui.ui.images.opening import TOOLS, Images
from kataui.ui.isolation.entrance import TAB as ISOLATION
from kataui.ui.isolation.entrance import Entrance
from kataui.ui.jobs import Jobs
from kataui.ui.opens import Opens, drop_words
from kataui.ui.pipelines import entrance as pipelines
from kataui.ui.presenter import Presenter, talk_of_open_pages
from kataui.ui.sideline import Entry
from kataui.ui.window import HOME, Window

APP_ID = "org.kataui.Kataui"
_SIGNAL_POLL_MS = 200
_GC_THRESHOLDS = (20_000, 10, 50)
_SWITCH_S = 0.0005


def make_application(argv: list[str]) -> QApplication:
    """The application with its identity and theme."""
    # A full collection stops the window for 40 ms once many objects are alive; Python's defaults
    # (700, 10, 10) bring one every second while somebody types into a long form.
    gc.set_threshold(*_GC_THRESHOLDS)
    # While a thread works, each call into Qt can cost the window one such turn to get Python
    # back: with the default (5 ms) a frame of some tens of calls takes 100 ms.
    sys.setswitchinterval(_SWITCH_S)
    app = QApplication([sys.argv[0], *argv])
    app.setApplicationName("kataui")
    app.setOrganizationName("kataui")
    app.setApplicationVersion(kataui.__version__)
    app.setDesktopFileName(APP_ID)
    known = settings.load()
    words.speak(known.language)
    speak_too(app, words.language())
    theme.start(app, known.theme, known.text_percent)
    app.setWindowIcon(icons.window_icon())
    return app


def speak_too(app: QCoreApplication, language: str) -> None:
    """Let Qt's own texts (menus of a field, scroll buttons) be in this language, where it can."""
    translator = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(f"qtbase_{language}", folder):
        app.installTranslator(translator)


def make_window() -> Window:
    """The window with all its pages, not yet shown."""
    window = Window(Jobs())
    images, isolation, ours = Images(window), Entrance(window), pipelines.Entrance(window)
    window.open_paths = Opens(images, isolation, ours, window.show_problem).open
    window.choose, window.choose_folder = images.choose_image, images.choose_folder
    window.says, window.adopt = drop_words, ours.adopt
    window.fill = ours.fill
    window.begin_talk = partial(_present, window)
    window.explain = partial(_explain, window)
    window.acts = _acts(window, images, ours)
    window.texts = partial(_texts, window)
    home = HomePage(_actions(window, images))

    def show_recent() -> None:
        home.show_recent(settings.load().recent)

    window.add_page(HOME, Entry("Home", "home"), lambda: home)
    home.recent_changed.connect(show_recent)
    for tab in (ours, images, isolation):
        tab.recent_changed.connect(show_recent)
        tab.add_pages()
    _add_last_pages(window)
    commanddialog.add_to(window)
    show_recent()
    NetworkProof(window)
    window.go(HOME)
    window.sidebar.take_focus()
    return window


def _add_last_pages(window: Window) -> None:
    """What is about kataui itself, at the end of the sidebar."""
    for name, title, icon in (
        ("computer", "This computer", "doctor"),
        ("help", "Help", "help"),
        ("shortcuts", "Keyboard", "term"),
        ("settings", "Settings", "gear"),
    ):
        make = partial(_make_last_page, window, name)
        window.add_page(name, Entry(title, icon, last=True), make)


def _make_last_page(window: Window, name: str) -> QWidget:
    from kataui.ui import lastpages  # noqa: PLC0415 - not before the first picture

    return lastpages.make(window, name)


def _actions(window: Window, images: Images) -> Actions:
    return Actions(
        protect=images.start_protect,
        demo=partial(open_demo, window),
        computer=lambda: window.go("computer"),
        sample=images.choose_sample,
        choose=images.choose_image,
        choose_folder=images.choose_folder,
        open_paths=window.open_paths,
        isolation=lambda: window.go(ISOLATION),
        pipeline=lambda: window.go(pipelines.TAB),
        told=window.show_done,
    )


def _explain(window: Window, address: str = "") -> None:
    from kataui.ui import lastpages  # noqa: PLC0415 - not before the first picture

    lastpages.explain(window, address)


def _texts(window: Window) -> Items:
    from kataui.ui import lastpages  # noqa: PLC0415 - not before the first picture

    return [
        Act(f"Help: {title}", partial(_explain, window, address))
        for title, address in lastpages.titles()
    ]


def _present(window: Window) -> None:
    """The pages that are open, large and without names; the talk of a demo is its own."""
    presenter = Presenter(window, talk_of_open_pages(window))
    presenter.ended.connect(presenter.deleteLater)
    presenter.start()


def _acts(window: Window, images: Images, ours: pipelines.Entrance) -> Items:
    """What can be found by its name and done at once."""
    return [
        Act("Build a pipeline", lambda: window.go(pipelines.TAB)),
        Act("Put my pipeline on Kata", ours.choose),
        Act("Protect an image", images.start_protect),
        Act("Open a demo", partial(open_demo, window)),
        Act("Try it with a sample image", images.choose_sample),
        *(
            Act(f"{tool.title}: {tool.about}", partial(images.open_tool, name))
            for name, tool in TOOLS.items()
        ),
    ]


def main(argv: list[str]) -> int:
    """Open the window, and the file in ``argv`` if there is one; gives the exit status.

    When a window of this user is open already, it gets the file and comes forward.
    """
    logs.setup(to_stderr=False)
    logs.watch_crashes()
    path = argv[0] if argv else ""
    if os.path.exists(path):  # noqa: PTH110 - a name that is too long is no error here
        path = str(Path(path).absolute())  # the other window has another working folder
    app = make_application([])
    name = single.server_name()
    if single.hand_over(name, path):
        return 0
    window = make_window()
    CrashReporter(window, window.show_problem).install()

    def open_path(given: str) -> None:
        if given:
            window.open_paths([given])
        window.show()
        window.raise_()
        window.activateWindow()

    server = single.Server(name, open_path, window)
    window.about_to_close = partial(session.keep, window)
    open_path(path)
    # after the first picture: what was open may need modules that take a while
    QTimer.singleShot(0, window, lambda: session.restore(window))
    status = run(app, window)
    server.close()
    return status


def run(app: QApplication, window: Window) -> int:
    """Until the window is closed; Ctrl+C in the terminal closes it. Gives the exit status."""
    signal.signal(signal.SIGINT, lambda *_: window.close())
    ticker = QTimer(window)  # lets Python see signals while Qt waits
    ticker.timeout.connect(lambda: None)
    ticker.start(_SIGNAL_POLL_MS)
    QTimer.singleShot(0, window, lambda: look_around(window))  # after the first picture
    return app.exec()
