"""The pages about pods: one for each manifest that is opened, and one for each act."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QWidget

from kataui.files import clean
from kataui.images.estimate import Strength
from kataui.ui.pods.capacitypage import CapacityPage
from kataui.ui.pods.comparepage import ComparePage
from kataui.ui.pods.lockpage import LockPage
from kataui.ui.pods.looking import Question
from kataui.ui.pods.parcelpages import PackPage, UnpackPage
from kataui.ui.pods.podpage import PodActions, PodPage
from kataui.ui.pods.preparepage import PreparePage
from kataui.ui.pods.publishpage import PublishPage
from kataui.ui.sideline import Entry
from kataui.ui.window import Window

Told = Callable[[str, str, str], None]


class Pods:
    """Makes and shows the pages, under the tab ``under``; ``told`` gets path, verdict, sentence."""

    def __init__(
        self, window: Window, *, under: str, tool: Callable[[str], QWidget], told: Told
    ) -> None:
        self._window, self._under, self._tool, self._told = window, under, tool, told
        self._open: dict[str, str] = {}

    def make(self, name: str) -> QWidget:
        """The page of a single act."""
        jobs = self._window.jobs
        if name == "pod":
            return PodPage(jobs, self._actions(name))
        makers: dict[str, Callable[[], QWidget]] = {
            "podcompare": lambda: ComparePage(jobs),
            "podlock": lambda: LockPage(jobs),
            "podprepare": lambda: PreparePage(jobs, self.open, self._window.set_network),
            "podcapacity": lambda: CapacityPage(jobs),
            "podpack": lambda: PackPage(jobs),
            "podunpack": lambda: UnpackPage(jobs, self.open),
            "podpublish": lambda: PublishPage(jobs, self._window.set_network),
        }
        return makers[name]()

    def open(self, path: str) -> None:
        """Show a manifest; one that is open already comes forward and is read again."""
        window = self._window
        place = str(Path(path).absolute())
        same = (key for key, value in self._open.items() if value == place)
        key = next(filter(window.has_page, same), "")
        if key:
            window.go(key)
            page = window.page(key)
            if isinstance(page, PodPage):
                page.start()
            return
        key = f"pod:{len(self._open) + 1}"
        self._open[key] = place
        title = clean(Path(place).name, limit=60)
        make = partial(PodPage, window.jobs, self._actions(key), place)
        window.add_page(key, Entry(title), make, under=self._under, path=place)
        window.go(key)

    def unpack(self, path: str) -> None:
        """Show the page that unpacks a parcel, filled for it."""
        page = self._tool("podunpack")
        if isinstance(page, UnpackPage):
            page.out.set_text("")
            page.parcel.set_text(path)

    def _actions(self, key: str) -> PodActions:
        def told(verdict: str, sentence: str) -> None:
            if not self._window.has_page(key):
                return  # closed while it was read
            page = self._window.page(key)
            path = page.question.file if isinstance(page, PodPage) else ""
            title = clean(Path(path).name, limit=60) or "What a pod runs"
            self._window.set_entry(key, Entry(title, mark=verdict))
            self._told(path, verdict, sentence)

        return PodActions(
            prepare=lambda asked, strength: self._prepare(key, asked, strength),
            compare=self._compare,
            lock=self._lock,
            adopt=self._window.adopt,
            told=told,
            network=self._window.set_network,
        )

    def _prepare(self, key: str, asked: Question, strength: Strength) -> None:
        page, pod = self._tool("podprepare"), self._window.page(key)
        if isinstance(page, PreparePage):
            bases = pod.bases if isinstance(pod, PodPage) else ()
            page.fill(asked, strength, bases)

    def _compare(self, asked: Question) -> None:
        """The lock beside the manifest, if there is one, and then the dump is asked for."""
        page = self._tool("podcompare")
        if isinstance(page, ComparePage):
            lock = Path(asked.file).with_name("podlock.json")
            page.fill(str(lock) if lock.is_file() else "", asked.public_key)

    def compare_with(self, lock: str) -> None:
        """Show the page that holds a running pod against a lock."""
        page = self._tool("podcompare")
        if isinstance(page, ComparePage):
            key = Path(lock).with_name("cosign.pub")
            page.fill(lock, str(key) if key.is_file() else "")

    def _lock(self, asked: Question) -> None:
        page = self._tool("podlock")
        if isinstance(page, LockPage):
            page.file.set_text(asked.file)
            page.out.set_text(str(Path(asked.file).absolute().with_name("podlock.json")))
