"""The tab Images: opening things, and the pages that belong to it."""

import datetime as dt
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from kataui import settings
from kataui.errors import KatauiError
from kataui.files import clean
from kataui.images.keymaking import describe_key
from kataui.images.protect import Protected
from kataui.images.protectsample import protect_sample
from kataui.progress import Control
from kataui.ui.images.flow import Flow
from kataui.ui.images.imagepage import ImagePage
from kataui.ui.images.keyspage import KeysPage
from kataui.ui.images.samplepage import SamplePage
from kataui.ui.images.tabpage import ImagesTab
from kataui.ui.images.toolpages import BuildPage, DecryptPage, RecipientsPage, SignPage
from kataui.ui.images.verifypage import VerifyPage
from kataui.ui.images.wizard import ProtectWizard
from kataui.ui.sidebar import Entry
from kataui.ui.widgets.fields import choose_path
from kataui.ui.window import Window

TAB = "images"
TOOLS = {
    "build": ("Build", "plus", BuildPage),
    "sign": ("Sign", "sign", SignPage),
    "recipients": ("Recipients", "key", RecipientsPage),
    "decrypt": ("Decrypt", "unlock", DecryptPage),
}


class Images(QObject):
    """Makes and shows the pages; remembers what was opened."""

    recent_changed = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._open: dict[str, str] = {}
        self._count = 0

    def add_pages(self) -> None:
        """The tab itself and the pages that are always there."""
        window = self._window
        window.add_page(TAB, Entry("Images", "image"), self._make_tab)
        window.add_page(
            "verify", Entry("Verify", "shield"), lambda: VerifyPage(window.jobs, self._remember)
        )
        window.add_page("keys", Entry("Keys", "key"), self._make_keys)

    def open_tool(self, name: str) -> None:
        """Show the page of a single act: build, sign, recipients or decrypt."""
        title, _, page = TOOLS[name]
        if not self._window.has_page(name):
            self._window.add_page(name, Entry(title), partial(page, self._window.jobs), under=TAB)
        self._window.go(name)

    def _make_keys(self) -> QWidget:
        return KeysPage(self._window.jobs, lambda: list(self._open.values()))

    def _make_tab(self) -> QWidget:
        return ImagesTab(
            protect=self.start_protect,
            verify=self.start_verify,
            choose=self.choose_image,
            choose_folder=self.choose_folder,
            sample=self.choose_sample,
            open_paths=self.open_paths,
            tools=[
                (title, icon, partial(self.open_tool, name))
                for name, (title, icon, _) in TOOLS.items()
            ],
        )

    def choose_image(self) -> None:
        """Let the user choose an archive."""
        choose_path(self._window, "Open an image", "open", "", lambda path: self.open_paths([path]))

    def choose_folder(self) -> None:
        """Let the user choose a layout folder."""
        choose_path(
            self._window, "Open a layout", "folder", "", lambda path: self.open_paths([path])
        )

    def open_paths(self, paths: list[str]) -> None:
        """Open what was dropped, chosen or handed over: images, or a key file."""
        for path in paths:
            if _is_key(path):
                self._window.go("keys")
                page = self._window.page("keys")
                if isinstance(page, KeysPage):
                    page.file.set_text(path)
                    page.show_file()
            else:
                self.open_image(path)

    def open_image(self, reference: str) -> None:
        """Show an image; one that is open already comes forward."""
        known = next((key for key, value in self._open.items() if value == reference), "")
        if known and self._window.has_page(known):
            self._window.go(known)
            return
        key = self._new_key("image")
        self._open[key] = reference
        title = clean(Path(reference.rstrip("/")).name, limit=60)
        window = self._window

        def told(verdict: str, sentence: str) -> None:
            window.set_entry(key, Entry(title, mark=verdict))
            self._remember(reference, verdict, sentence)

        def make() -> QWidget:
            return ImagePage(
                window.jobs,
                reference,
                protect=lambda source: self.start_protect((source,)),
                verify_with_keys=self.start_verify,
                reopen=self.open_image,
                told=told,
            )

        if reference.startswith("docker://"):
            window.set_network(f"Network: skopeo reads {clean(reference, limit=80)}")
        window.add_page(key, Entry(title), make, under=TAB)
        window.go(key)

    def _new_key(self, kind: str) -> str:
        self._count += 1
        return f"{kind}:{self._count}"

    def _remember(self, reference: str, verdict: str, sentence: str) -> None:
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        path = str(Path(reference).absolute()) if Path(reference).exists() else reference
        item = settings.Recent(path, "image", verdict, clean(sentence, limit=120), now)
        settings.save(settings.remember(settings.load(), item))
        self.recent_changed.emit()

    def start_protect(self, sources: tuple[str, ...] = ()) -> None:
        """Open a new wizard, for these images if any are given."""
        key = self._new_key("protect")
        window = self._window
        flow = Flow(sources=sources, expert=settings.load().expert)

        def on_done(done: list[Protected]) -> None:
            verdicts = [item.proof.verdict.value for item in done]
            worst = "unknown" if "unknown" in verdicts else "pass"
            window.set_entry(key, Entry("Protected", mark=worst))
            for item in done:
                path = str(item.written.path)
                self._remember(path, item.proof.verdict.value, item.proof.sentence)

        def make() -> QWidget:
            return ProtectWizard(
                window.jobs,
                flow,
                open_image=self.open_image,
                on_done=on_done,
                on_close=lambda: window.close_page(key),
            )

        window.add_page(key, Entry("Protect…"), make, under=TAB)
        window.go(key)

    def start_verify(self, reference: str = "") -> None:
        """Show the page for verifying, filled for an image if one is given."""
        self._window.go("verify")
        page = self._window.page("verify")
        if reference and isinstance(page, VerifyPage):
            page.set_image(reference)

    def choose_sample(self) -> None:
        """Ask for a folder, then protect the sample in it."""
        choose_path(self._window, "A folder for the sample", "folder", "", self.start_sample)

    def start_sample(self, folder: str) -> None:
        """Make and protect the sample in a new folder inside ``folder``, and show the proof."""
        target = _free_name(Path(folder))
        key = self._new_key("sample")
        window = self._window

        def work(control: Control) -> Protected:
            return protect_sample(target, control)

        def on_done(done: Protected) -> None:
            verdict = done.proof.verdict.value
            window.set_entry(key, Entry("Sample", mark=verdict))
            self._remember(str(done.written.path), verdict, done.proof.sentence)

        def make() -> QWidget:
            return SamplePage(
                window.jobs, work, target, on_done=on_done, open_image=self.open_image
            )

        window.add_page(key, Entry("Sample"), make, under=TAB)
        window.go(key)


def _free_name(folder: Path) -> Path:
    """A name that is not taken: kataui-sample, kataui-sample-2 ..."""
    number = 1
    while True:
        path = folder / ("kataui-sample" if number == 1 else f"kataui-sample-{number}")
        if not path.exists():
            return path
        number += 1


def _is_key(path: str) -> bool:
    """Whether a file is a key: small, and read as one."""
    place = Path(path)
    try:
        if not place.is_file() or place.stat().st_size > 1 << 16:
            return False
        describe_key(place)
    except (KatauiError, OSError):
        return False
    return True
