"""Starting the window."""

import gc
import os
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QProcess, QProcessEnvironment, QTimer
from PySide6.QtWidgets import QApplication

import kataui
from kataui import children, logs, settings
from kataui.doctor import host, programs
from kataui.doctor.examine import abilities
from kataui.doctor.model import Places
from kataui.pods.parcellist import is_parcel
from kataui.ui import icons, single, theme
from kataui.ui.computer.computerpage import ComputerPage
from kataui.ui.computer.networkproof import NetworkProof
from kataui.ui.crash import CrashReporter
from kataui.ui.find import Items
from kataui.ui.home import Actions, HomePage
from kataui.ui.images.opening import TOOLS, Images, is_key
from kataui.ui.isolation.entrance import TAB as ISOLATION
from kataui.ui.isolation.entrance import Entrance, is_recording
from kataui.ui.jobs import Jobs
from kataui.ui.pipelines import entrance as pipelines
from kataui.ui.pods.entrance import is_pod
from kataui.ui.presenter import Presenter, talk_of_open_pages
from kataui.ui.settingspage import SettingsPage
from kataui.ui.sidebar import Entry
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
    theme.start(app, known.theme, known.text_percent)
    app.setWindowIcon(icons.window_icon())
    return app


def make_window() -> Window:
    """The window with all its pages, not yet shown."""
    window = Window(Jobs())
    images, isolation, ours = Images(window), Entrance(window), pipelines.Entrance(window)
    window.open_paths = partial(_open_paths, images, isolation, ours)
    window.choose, window.choose_folder = images.choose_image, images.choose_folder
    window.says, window.adopt = drop_words, ours.adopt

    def forget() -> None:
        settings.save(replace(settings.load(), recent=()))
        show_recent()

    actions = Actions(
        protect=images.start_protect,
        demo=partial(_open_demo, window),
        computer=lambda: window.go("computer"),
        sample=images.choose_sample,
        choose=images.choose_image,
        choose_folder=images.choose_folder,
        open_paths=window.open_paths,
        isolation=lambda: window.go(ISOLATION),
        pipeline=lambda: window.go(pipelines.TAB),
        forget=forget,
    )
    window.begin_talk = partial(_present, window)
    window.acts = _acts(window, images, ours)
    home = HomePage(actions)

    def show_recent() -> None:
        home.show_recent(settings.load().recent)

    window.add_page(HOME, Entry("Home", "home"), lambda: home)
    for tab in (ours, images, isolation):
        tab.recent_changed.connect(show_recent)
        tab.add_pages()
    window.add_page(
        "computer",
        Entry("This computer", "doctor", last=True),
        partial(ComputerPage, window.jobs, window.show_problem),
    )
    window.add_page("settings", Entry("Settings", "gear", last=True), SettingsPage)
    show_recent()
    watcher = NetworkProof(window)
    QTimer.singleShot(0, window, lambda: _look_around(window, home))
    del watcher  # the window holds it
    window.go(HOME)
    window.sidebar.take_focus()
    return window


def _look_around(window: Window, home: HomePage) -> None:
    """What this computer can do, once the window is there."""
    window.jobs.start(
        lambda _control: abilities(programs.parts() + host.parts(Places())),
        on_done=home.show_abilities,
        on_error=lambda _error: None,
    )


def _open_demo(window: Window) -> None:
    """In a window of its own: it redirects where settings and logs are kept."""
    command = children.argv("kataui", "demo")
    process = QProcess()
    process.setProgram(command[0])
    process.setArguments(command[1:])
    around = QProcessEnvironment.systemEnvironment()
    for name, value in children.importable().items():
        around.insert(name, value)
    process.setProcessEnvironment(around)
    started = process.startDetached()
    if started if isinstance(started, bool) else started[0]:
        window.show_done("The demo opens in a window of its own.")
    else:
        window.show_problem("The demo could not be started.", "Run: kataui demo")


def _present(window: Window) -> None:
    """The pages that are open, large and without names; the talk of a demo is its own."""
    presenter = Presenter(window, talk_of_open_pages(window))
    presenter.ended.connect(presenter.deleteLater)
    presenter.start()


def _acts(window: Window, images: Images, ours: pipelines.Entrance) -> Items:
    """What can be found by its name and done at once."""
    return [
        ("Build a pipeline", lambda: window.go(pipelines.TAB)),
        ("Put my pipeline on Kata", ours.choose),
        ("Protect an image", images.start_protect),
        ("Open a file", images.choose_image),
        ("Open a layout folder", images.choose_folder),
        ("Try it with a sample image", images.choose_sample),
        ("Present what is open", window.begin_talk),
        *(
            (f"{tool.title}: {tool.about}", partial(images.open_tool, name))
            for name, tool in TOOLS.items()
        ),
    ]


def _open_paths(
    images: Images, isolation: Entrance, ours: pipelines.Entrance, paths: list[str]
) -> None:
    """Recordings to Isolation, pods and parcels to their pages, the rest to its tab."""
    recordings = [path for path in paths if is_recording(path)]
    if recordings:
        isolation.open_paths(recordings)
    rest = [path for path in paths if path not in recordings]
    for path in filter(is_pod, rest):
        images.pods.open(path)
    for path in filter(is_parcel, rest):
        images.pods.unpack(path)
    rest = [path for path in rest if not is_pod(path) and not is_parcel(path)]
    manifests = [path for path in rest if pipelines.is_pipeline(path)]
    if manifests:
        ours.open_paths(manifests)
    others = [path for path in rest if path not in manifests]
    if others:
        images.open_paths(others)


def drop_words(paths: list[str]) -> str:
    """What dropping these does."""
    if len(paths) > 1:
        return f"Open {len(paths)} things"
    if is_recording(paths[0]):
        return "Open as a recording"
    if is_parcel(paths[0]):
        return "Unpack this parcel"
    if is_pod(paths[0]):
        return "See what the pod runs"
    if pipelines.is_pipeline(paths[0]):
        return "Check, and put on Kata"
    return "Show this key" if is_key(paths[0]) else "Open as an image"


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
    open_path(path)
    status = run(app, window)
    server.close()
    return status


def run(app: QApplication, window: Window) -> int:
    """Until the window is closed; Ctrl+C in the terminal closes it. Gives the exit status."""
    signal.signal(signal.SIGINT, lambda *_: window.close())
    ticker = QTimer(window)  # lets Python see signals while Qt waits
    ticker.timeout.connect(lambda: None)
    ticker.start(_SIGNAL_POLL_MS)
    return app.exec()
