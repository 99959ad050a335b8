"""Step 1: which image, or which images."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

from kataui.ui.images.flow import Flow, Step
from kataui.ui.images.steppage import StepPage
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.drop import DropTarget, dropped_paths
from kataui.ui.widgets.fields import TextField, choose_path
from kataui.ui.widgets.listbox import ItemList


class SourceStep(StepPage):
    """A list of references; dropping, choosing and typing all add to it."""

    step = Step.SOURCE
    question = "Which image do you want to protect?"
    why = "A folder or an archive. Several images can share the answers that follow."

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__(changed)
        archive = Button("Archive…", lambda: self._choose("open"), name="Choose an archive")
        folder = Button("Folder…", lambda: self._choose("folder"), name="Choose a layout folder")
        target = DropTarget(
            "Drop OCI layouts, OCI archives or docker archives here", archive, folder
        )
        target.dropped.connect(self._add)
        self.body.addWidget(target)
        card = Card("Images")
        self._list = ItemList("Images to protect", empty="No image yet.")
        self._list.removed.connect(self._remove)
        card.body.addWidget(self._list)
        self._typed = TextField(
            "Or type a reference",
            help_text="PATH[:TAG], oci:…, oci-archive:…, docker-archive:… or, with skopeo "
            "installed, docker://… (which uses the network)",
        )
        self._typed.edit.returnPressed.connect(self._add_typed)
        card.body.addWidget(self._typed)
        card.body.addLayout(row(Button("Add it", self._add_typed, icon="plus"), None))
        self.body.addWidget(card)
        self.viewport().setAcceptDrops(True)  # beside the dashed frame, too
        self.fields["source"] = self._typed
        self._sources: tuple[str, ...] = ()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders anywhere on the page."""
        if dropped_paths(event):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """As they enter."""
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add what was dropped."""
        event.acceptProposedAction()
        self._add(dropped_paths(event))

    def _choose(self, mode: str) -> None:
        choose_path(self, "Choose an image", mode, "", lambda path: self._add([path]))

    def _add_typed(self) -> None:
        if self._typed.text:
            self._add([self._typed.text])
            self._typed.set_text("")

    def _add(self, paths: list[str]) -> None:
        self._sources = tuple(dict.fromkeys((*self._sources, *paths)))
        self._list.show_items([(path, path) for path in self._sources])
        self._typed.show_problem("")
        self.answer_changed()

    def _remove(self, key: str) -> None:
        self._sources = tuple(path for path in self._sources if path != key)
        self._list.show_items([(path, path) for path in self._sources])
        self.answer_changed()

    def load(self, flow: Flow) -> None:
        """Show the images."""
        self._sources = flow.sources
        self._list.show_items([(path, path) for path in self._sources])

    def store(self, flow: Flow) -> Flow:
        """Keep the images; a reference that was typed and not added counts."""
        if self._typed.text:
            self._add_typed()
        if self._sources == flow.sources:
            return flow
        first = self._sources[0] if self._sources else ""
        answers = replace(flow.answers, source=first)
        return replace(flow, answers=answers, sources=self._sources, looks=())
