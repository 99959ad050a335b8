"""The tab Images while nothing of it is chosen: what it is for, and how to begin."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout

from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.widgets.bigbutton import BigButton
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, column, hairline
from kataui.ui.widgets.drop import DropTarget
from kataui.ui.widgets.flowrow import flow_row
from kataui.ui.widgets.page import Page
from kataui.ui.widgets.text import label

_QUESTION = "Is this image exactly what I want to run, and can nobody else read it?"
_WHAT = (
    "Encrypt and sign container images on this computer, and see it proved: what was written is "
    "opened again, decrypted and compared before it counts as done."
)
DROP = "Drop OCI layouts, OCI archives or docker archives here"


@dataclass(frozen=True, slots=True)
class Tool:
    """A single act: its name, its icon, and what it gives."""

    title: str
    icon: str
    about: str


class ImagesTab(Page):
    """An empty state with one thing to do first."""

    def __init__(
        self,
        *,
        protect: Callable[[], object],
        choose: Callable[[], object],
        choose_folder: Callable[[], object],
        sample: Callable[[], object],
        open_paths: Callable[[list[str]], None],
        tools: dict[str, list[tuple[Tool, Callable[[], object]]]],
    ) -> None:
        """``tools`` are single acts, by the heading of their card and the note beside it."""
        super().__init__("Images", _QUESTION)
        card = Card()
        card.body.addWidget(label(_WHAT))
        card.body.addSpacing(theme.u(1))
        card.body.addWidget(
            flow_row(
                Button("Protect an image…", protect, icon="lock", kind="primary"),
                Button("Try it with a sample image…", sample, icon="demo"),
            )
        )
        self.body.addWidget(card)
        archive = Button("Archive…", choose, name="Open an archive")
        folder = Button("Folder…", choose_folder, name="Open a layout folder")
        target = DropTarget(DROP, archive, folder)
        target.dropped.connect(open_paths)
        self.body.addWidget(target)
        for heading, acts in tools.items():
            title, _, note = heading.partition(": ")
            card = Card(title, note=note)
            card.body.setSpacing(0)
            for number, (tool, then) in enumerate(acts):
                if number:
                    card.body.addWidget(hairline())
                card.body.addWidget(_line(tool, then))
            self.body.addWidget(card)


def _line(tool: Tool, then: Callable[[], object]) -> BigButton:
    layout = QHBoxLayout()
    layout.setContentsMargins(theme.u(1), theme.u(2), theme.u(1), theme.u(2))
    layout.setSpacing(theme.u(3))
    middle = Qt.AlignmentFlag.AlignVCenter
    layout.addWidget(IconLabel(tool.icon), 0, middle)
    words = column(label(tool.title, "strong"), label(tool.about, "note"), spacing_u=0.5)
    layout.addLayout(words, 1)
    layout.addWidget(IconLabel("right", size_u=4), 0, middle)
    return BigButton(layout, then, kind="line", name=tool.title, about=tool.about)
