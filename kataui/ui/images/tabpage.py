"""The tab Images while nothing of it is chosen: what it is for, and how to begin."""

from collections.abc import Callable

from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.drop import DropTarget
from kataui.ui.widgets.page import Page
from kataui.ui.widgets.text import label

_SINGLE = "Protecting is these in the right order, with a proof. Each can also be done by itself."
_QUESTION = "Is this image exactly what I want to run, and can nobody else read it?"
_WHAT = (
    "Encrypt and sign container images on this computer, and see it proved: what was written is "
    "opened again, decrypted and compared before it counts as done."
)


class ImagesTab(Page):
    """An empty state with one thing to do first."""

    def __init__(
        self,
        *,
        protect: Callable[[], None],
        verify: Callable[[], None],
        choose: Callable[[], None],
        choose_folder: Callable[[], None],
        sample: Callable[[], None],
        open_paths: Callable[[list[str]], None],
        tools: list[tuple[str, str, Callable[[], None]]],
    ) -> None:
        super().__init__("Images", _QUESTION)
        card = Card()
        card.body.addWidget(label(_WHAT))
        card.body.addLayout(
            row(
                Button("Protect an image…", protect, icon="lock", kind="primary"),
                Button("Verify…", verify, icon="shield", name="Verify an image"),
                Button("Try it with a sample image", sample, icon="demo"),
                None,
            )
        )
        self.body.addWidget(card)
        archive = Button("Archive…", choose, name="Open an archive")
        folder = Button("Folder…", choose_folder, name="Open a layout folder")
        target = DropTarget(
            "Drop OCI layouts, OCI archives or docker archives here", archive, folder
        )
        target.dropped.connect(open_paths)
        self.body.addWidget(target)
        single = Card("One step alone")
        single.body.addWidget(label(_SINGLE, "dim"))
        buttons = [Button(f"{title}…", then, icon=icon) for title, icon, then in tools]
        single.body.addLayout(row(*buttons, None))
        self.body.addWidget(single)
