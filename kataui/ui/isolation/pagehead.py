"""The head of a page of the tab: where one is, facts, and what can be done with it."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QMenu, QVBoxLayout, QWidget

from kataui.files import count_text
from kataui.isolation.accuse import percent
from kataui.isolation.analysis import Picture
from kataui.isolation.model import HostView, Role, Sandbox
from kataui.ui import theme
from kataui.ui.isolation.chartparts import clock
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import row
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_HYPERVISORS = {
    "qemu": "QEMU",
    "cloud-hypervisor": "Cloud Hypervisor",
    "firecracker": "Firecracker",
    "dragonball": "Dragonball",
    "stratovirt": "StratoVirt",
}
_RUNTIMES = {"go": "Go runtime", "rust": "Rust runtime"}
_HURT = frozenset("CDE")
_WORDS_U = 60


class PageHead(QWidget):
    """Title with the way back, one line of facts, three buttons.

    ``choices`` gives the entries of the export menu when it is opened: words, and what they do.
    """

    def __init__(
        self,
        *,
        back: Callable[[], None],
        mark: Callable[[], None],
        open_another: Callable[[], None],
        choices: Callable[[], list[tuple[str, Callable[[], None]]]],
    ) -> None:
        super().__init__()
        self._choices = choices
        self.back = Button("Overview", back, icon="left", kind="quiet")
        self.back.setVisible(False)
        self.title = label("", "title")
        self.facts = label("", "dim", selectable=True)
        self.export = Button("Export…", self._open_menu, icon="save")
        first = row(self.back, self.title, spacing_u=1)
        first.setAlignment(self.back, Qt.AlignmentFlag.AlignVCenter)
        words = QVBoxLayout()
        words.setSpacing(theme.u(0.5))
        words.addLayout(first)
        words.addWidget(self.facts)
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addLayout(words, 1)
        self._buttons = row(
            Button("Mark…", mark, icon="flag"),
            self.export,
            Button("Open another…", open_another),
            None,
        )
        self._layout.addLayout(self._buttons)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the buttons stand under the words."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        way_back = 0 if self.back.isHidden() else self.back.sizeHint().width()
        wide = self._buttons.sizeHint().width() + way_back + theme.u(_WORDS_U) <= self.width()
        ways = QBoxLayout.Direction
        self._layout.setDirection(ways.LeftToRight if wide else ways.TopToBottom)

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for words, act in self._choices():
            menu.addAction(tr(words), act)
        menu.popup(self.export.mapToGlobal(QPoint(0, self.export.height())))

    def show_place(self, title: str, facts: str, *, back: str = "") -> None:
        """Where one is; ``back`` names what the way back leads to."""
        self.title.setText(title)
        self.facts.setText(facts)
        self.back.setVisible(bool(back))
        if back:
            self.back.setText(f" {back}")
            self.back.setAccessibleName(tr(f"Back to {back}"))
        self._arrange()


def moment(picture: Picture) -> str:
    """The time of day that is shown."""
    return clock(picture.wall_s, seconds=True)


def host_facts(picture: Picture, *, mode: str) -> str:
    """The host in one line."""
    view = picture.view
    hurt = sum(grade in _HURT for grade in picture.grades.values())
    count = len(view.sandboxes)
    kinds = sorted({hypervisor(sandbox) for sandbox in view.sandboxes})
    parts = [
        mode,
        f"{'1 sandbox' if count == 1 else f'{count} sandboxes'}, {hurt} below grade B",
        f"{len(view.cpus)} CPUs",
        ", ".join(kinds),
        _synthetic(view),
    ]
    return " · ".join(part for part in parts if part)


def sandbox_facts(view: HostView, sandbox: Sandbox | None, *, mode: str) -> str:
    """One sandbox in one line."""
    if sandbox is None:
        return f"{mode} · it is gone"
    vcpus = len(sandbox.of_role(Role.VCPU))
    parts = [
        mode,
        hypervisor(sandbox),
        count_text(vcpus, "vCPU"),
        sandbox.qos and f"QoS {sandbox.qos}",
        f"process {sandbox.pid}",
        f"id {sandbox.id[:12]}",
        _synthetic(view),
    ]
    return " · ".join(part for part in parts if part)


def hypervisor(sandbox: Sandbox) -> str:
    """The hypervisor as its project spells it, and the runtime where it is known."""
    name = _HYPERVISORS.get(sandbox.hypervisor, sandbox.hypervisor)
    runtime = _RUNTIMES.get(sandbox.runtime, "")
    return f"{name}, {runtime}" if runtime else name


def _synthetic(view: HostView) -> str:
    return "synthetic: made by a generator" if view.head.get("synthetic") else ""


def sampling(picture: Picture) -> tuple[str, str, str]:
    """Rate, own cost and what was lost, for the status line."""
    return (
        f"{picture.view.head.get('rate_hz', 1):g}\u00a0sample/s",
        f"own cost {percent(picture.cost)} of a core",
        f"{picture.dropped} samples dropped",
    )
