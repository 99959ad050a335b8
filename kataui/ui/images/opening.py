"""The tab Images: opening things, and the pages that belong to it."""

import datetime as dt
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from kataui import settings
from kataui.errors import KatauiError
from kataui.files import clean
from kataui.progress import Control
from kataui.ui.images.tabpage import ImagesTab, Tool
from kataui.ui.sideline import Entry
from kataui.ui.widgets.fields import choose_path
from kataui.ui.window import Window

if TYPE_CHECKING:
    from kataui.images.protect import Protected
    from kataui.ui.pods.opening import Pods

TAB = "images"
_GROUPS = {
    "": "One step alone: protecting is these in the right order, with a proof",
    "pod": "Pods: every image that runs together",
    "key": "Keys: private halves stay in their files",
}
TOOLS = {
    "verify": Tool("Verify", "shield", "One verdict on an image, with the keys that you have."),
    "keys": Tool("Keys", "key", "What each opens, and whether it survives the loss of its file."),
    "keybackup": Tool("Back up a key", "save", "Encrypted, on paper, or split among people."),
    "keyrestore": Tool("Restore a key", "undo", "From its backup, its page, or enough shares."),
    "keydrill": Tool("Rehearse a backup", "check", "A backup counts once it restored the key."),
    "keyrotate": Tool("Rotate a key", "key", "Exchange a key in a folder of images."),
    "build": Tool("Build", "plus", "From a folder, or a base and what goes on top of it."),
    "sign": Tool("Sign", "sign", "Say that an image is yours; cosign finds the signature."),
    "recipients": Tool("Recipients", "link", "Let somebody in, or leave somebody out."),
    "compare": Tool("Compare", "eye", "Two images: does the same run, and what else differs."),
    "decrypt": Tool("Decrypt", "unlock", "Write a copy that anybody can read."),
    "pod": Tool("What a pod runs", "pod", "Every container, sidecars too: what is not covered."),
    "podprepare": Tool("Prepare a pod", "lock", "All its images protected and pinned in one act."),
    "podlock": Tool("Lock a pod", "flag", "Write down: exactly this runs."),
    "podcompare": Tool("Compare a pod", "eye", "Find what was pushed into a pod that runs."),
    "podcapacity": Tool(
        "How many pods fit", "cpu", "Confidential pods on a host, and what bounds."
    ),
    "podpack": Tool("Pack a pod", "disk", "Carry it to a machine without a network."),
    "podunpack": Tool("Unpack a parcel", "save", "Check what arrived before it is there."),
    "podpublish": Tool("Publish a pod", "net", "Push it, each step shown before it is done."),
}


class Images(QObject):
    """Makes and shows the pages; remembers what was opened."""

    recent_changed = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._open: dict[str, str] = {}
        self._count = 0
        self._pods: Pods | None = None

    def add_pages(self) -> None:
        """The tab itself and the pages that are always there."""
        window = self._window
        window.add_page(TAB, Entry("Images", "image"), self._make_tab)

    def open_tool(self, name: str) -> QWidget:
        """Show the page of a single act, made when it is first asked for."""
        if not self._window.has_page(name):
            make = partial(self._make_tool, name)
            self._window.add_page(name, Entry(TOOLS[name].title), make, under=TAB)
        self._window.go(name)
        return self._window.page(name)

    def _make_tool(self, name: str) -> QWidget:
        from kataui.ui.images import pages  # noqa: PLC0415 - it loads cryptography

        jobs = self._window.jobs
        if name == "verify":
            return pages.VerifyPage(jobs, self._remember)
        if name == "keys":
            return pages.KeysPage(jobs, lambda: list(self._open.values()), self.open_tool)
        if name.startswith("key"):
            from kataui.ui.images.keytools import make_key_page  # noqa: PLC0415 - words, QR codes

            return make_key_page(name, jobs, self.open_tool)
        if name.startswith("pod"):
            return self.pods.make(name)
        makers = {
            "build": pages.BuildPage,
            "sign": pages.SignPage,
            "recipients": pages.RecipientsPage,
            "decrypt": pages.DecryptPage,
            "compare": pages.CompareImagesPage,
        }
        return makers[name](jobs)

    @property
    def pods(self) -> "Pods":
        """The pages about pods, which read manifests: loaded when one is asked for."""
        if self._pods is None:
            from kataui.ui.pods.opening import Pods  # noqa: PLC0415 - Kata's rules

            told = partial(self._remember, kind="pod")
            self._pods = Pods(self._window, under=TAB, tool=self.open_tool, told=told)
        return self._pods

    def _make_tab(self) -> QWidget:
        return ImagesTab(
            protect=self.start_protect,
            choose=self.choose_image,
            choose_folder=self.choose_folder,
            sample=self.choose_sample,
            open_paths=self.open_paths,
            tools={
                heading: [
                    (tool, partial(self.open_tool, name))
                    for name, tool in TOOLS.items()
                    if _group(name) == group
                ]
                for group, heading in _GROUPS.items()
            },
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
        from kataui.ui.images import pages  # noqa: PLC0415 - it loads cryptography

        for path in paths:
            if is_key(path):
                page = self.open_tool("keys")
                if isinstance(page, pages.KeysPage):
                    page.file.set_text(path)
                    page.show_file()
            else:
                self.open_image(path)

    def open_image(self, reference: str) -> None:
        """Show an image; one that is open already comes forward."""
        from kataui.ui.images import pages  # noqa: PLC0415 - it loads cryptography

        for known, value in self._open.items():
            if value == reference and self._window.has_page(known):
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
            return pages.ImagePage(
                window.jobs,
                reference,
                pages.ImageActions(
                    protect=lambda source: self.start_protect((source,), seen=True),
                    verify=self.start_verify,
                    tool=self.start_tool,
                    reopen=self.open_image,
                    deploy=self._deploy,
                    told=told,
                ),
            )

        if reference.startswith("docker://"):
            window.set_network(f"Network: skopeo reads {clean(reference, limit=80)}")
        window.add_page(key, Entry(title), make, under=TAB, path=reference)
        window.go(key)

    def _new_key(self, kind: str) -> str:
        self._count += 1
        return f"{kind}:{self._count}"

    def _remember(
        self, reference: str, verdict: str, sentence: str, *, kind: str = "image"
    ) -> None:
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        path = str(Path(reference).absolute()) if Path(reference).exists() else reference
        item = settings.Recent(path, kind, verdict, clean(sentence, limit=120), now)
        settings.save(settings.remember(settings.load(), item))
        self.recent_changed.emit()

    def start_protect(self, sources: tuple[str, ...] = (), *, seen: bool = False) -> None:
        """Open a new wizard, for these images if any are given.

        When the user has ``seen`` them, the wizard goes on to their layers by itself.
        """
        from kataui.ui.images import pages  # noqa: PLC0415 - it loads cryptography

        key = self._new_key("protect")
        window = self._window
        flow = pages.Flow(sources=sources, expert=settings.load().expert)

        def done(made: "list[Protected]") -> None:
            for item in made:
                path = str(item.written.path)
                self._remember(path, item.proof.verdict.value, item.proof.sentence)

        outside = pages.Outside(
            open_image=self.open_image,
            prove=self.start_verify,
            deploy=self._deploy,
            another=self.start_protect,
            named=lambda title, mark: window.set_entry(key, Entry(title, mark=mark)),
            done=done,
            close=lambda: window.close_page(key),
        )
        make = partial(pages.ProtectWizard, window.jobs, flow, outside)
        window.add_page(key, Entry("Protect…"), make, under=TAB)
        window.go(key)
        wizard = window.page(key)
        if seen and isinstance(wizard, pages.ProtectWizard):
            wizard.go_on()

    def _deploy(self, pin: str) -> None:
        """A pod that runs this image, as a pipeline's form."""
        self._window.fill("coco-pod", {"image": pin})

    def start_verify(self, reference: str = "", public_key: str = "") -> None:
        """Show the page for verifying, filled for an image if one is given."""
        from kataui.ui.images import pages  # noqa: PLC0415 - it loads cryptography

        page = self.open_tool("verify")
        if reference and isinstance(page, pages.VerifyPage):
            page.set_image(reference, public_key)

    def start_tool(self, name: str, reference: str) -> None:
        """Show the page of a single act, filled for an image."""
        from kataui.ui.images import pages  # noqa: PLC0415 - it loads cryptography

        page = self.open_tool(name)
        if isinstance(
            page,
            pages.RecipientsPage | pages.DecryptPage | pages.SignPage | pages.CompareImagesPage,
        ):
            page.image.set_text(reference)

    def choose_sample(self) -> None:
        """Ask for a folder, then protect the sample in it."""
        choose_path(self._window, "A folder for the sample", "folder", "", self.start_sample)

    def start_sample(self, folder: str) -> None:
        """Make and protect the sample in a new folder inside ``folder``, and show the proof."""
        from kataui.ui.images import pages  # noqa: PLC0415 - it loads cryptography

        target = _free_name(Path(folder))
        key = self._new_key("sample")
        window = self._window

        def work(control: Control) -> "Protected":
            return pages.protect_sample(target, control)

        def on_done(done: "Protected") -> None:
            verdict = done.proof.verdict.value
            window.set_entry(key, Entry("Sample", mark=verdict))
            self._remember(str(done.written.path), verdict, done.proof.sentence)

        def make() -> QWidget:
            return pages.SamplePage(
                window.jobs,
                work,
                target,
                on_done=on_done,
                open_image=self.open_image,
                deploy=self._deploy,
            )

        window.add_page(key, Entry("Sample"), make, under=TAB)
        window.go(key)


def _group(name: str) -> str:
    """Whether a tool is about pods, keys or a single image."""
    return next((group for group in ("pod", "key") if name.startswith(group)), "")


def _free_name(folder: Path) -> Path:
    """A name that is not taken: kataui-sample, kataui-sample-2 ..."""
    number = 1
    while True:
        path = folder / ("kataui-sample" if number == 1 else f"kataui-sample-{number}")
        if not path.exists():
            return path
        number += 1


def is_key(path: str) -> bool:
    """Whether a file is a key: small, and read as one."""
    place = Path(path)
    try:
        if not place.is_file() or place.stat().st_size > 1 << 16:
            return False
        from kataui.images.keymaking import describe_key  # noqa: PLC0415 - it loads cryptography

        describe_key(place)
    except (KatauiError, OSError):
        return False
    return True
