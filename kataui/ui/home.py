"""The first page: what one can do, what was open last, and a sample to try."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout

from kataui.settings import Recent
from kataui.ui import theme
from kataui.ui.icons import MARKS, IconLabel
from kataui.ui.when import when_text
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, hairline, row
from kataui.ui.widgets.drop import DropTarget
from kataui.ui.widgets.page import Scroll
from kataui.ui.widgets.text import label

_PROTECT = "Encrypt and sign it, then prove that only your keys open it."
_VERIFY = "See whether it is encrypted, whole, and from whom you expect."
_KEYS = "Keys to open images, keys to sign, keys for a key broker."


@dataclass(frozen=True, slots=True)
class Actions:
    """What the page can start."""

    protect: Callable[[], None]
    verify: Callable[[], None]
    keys: Callable[[], None]
    sample: Callable[[], None]
    choose: Callable[[], None]
    open_paths: Callable[[list[str]], None]
    forget: Callable[[], None]


class VerbCard(QPushButton):
    """A large button: icon, verb, and what it gives."""

    def __init__(self, icon: str, title: str, text: str, on_click: Callable[[], None]) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self.clicked.connect(lambda _checked: on_click())
        self._layout = QVBoxLayout(self)
        pad = theme.u(4.5)
        self._layout.setContentsMargins(pad, pad, pad, pad)
        self._layout.setSpacing(theme.u(2))
        self._layout.addWidget(IconLabel(icon, size_u=7, role="accent"))
        self._layout.addWidget(label(title, "heading"))
        self._layout.addWidget(label(text, "dim"))
        self._layout.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """As high as the words need at the present width (a button does not ask its layout)."""
        height = self._layout.heightForWidth(max(self.width(), theme.u(30)))
        return QSize(theme.u(60), max(height, theme.u(34)))

    def minimumSizeHint(self) -> QSize:
        """May be narrow, but never cuts its words."""
        return QSize(theme.u(30), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width needs another height."""
        super().resizeEvent(event)
        self.updateGeometry()


class HomePage(Scroll):
    """The question, the verbs, the drop target, and what was open last."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self.setAccessibleName("Home")
        self.body.addSpacing(theme.u(4))
        self.body.addWidget(label("What would you like to do?", "display"))
        promise = "Everything works without a network. Nothing is written before you say so."
        self.body.addWidget(label(promise, "dim"))
        self.body.addSpacing(theme.u(2))
        verbs = QHBoxLayout()
        verbs.setSpacing(theme.u(4))
        for icon, title, text, action in (
            ("lock", "Protect an image", _PROTECT, actions.protect),
            ("shield", "Verify an image", _VERIFY, actions.verify),
            ("key", "Make and show keys", _KEYS, actions.keys),
        ):
            verbs.addWidget(VerbCard(icon, title, text, action))
        self.body.addLayout(verbs)
        target = DropTarget(
            "Drop an image, as a folder or an archive, anywhere in this window",
            Button("Open…", actions.choose),
        )
        target.dropped.connect(actions.open_paths)
        self.body.addWidget(target)
        self._recent = QVBoxLayout()
        self.body.addLayout(self._recent)

    def show_recent(self, items: tuple[Recent, ...]) -> None:
        """Show what was open last, or the sample when there is nothing."""
        clear(self._recent)
        sample = Button("Try it with a sample image", self._actions.sample, icon="demo")
        if not items:
            card = Card("Nothing was open yet")
            text = (
                "kataui makes a small image and throwaway keys in a folder of your choice, "
                "protects the image and proves it. It takes a second."
            )
            card.body.addWidget(label(text, "dim"))
            card.body.addLayout(row(sample, None))
            self._recent.addWidget(card)
            return
        forget = Button("Clear", self._actions.forget, kind="quiet", name="Clear recent")
        card = Card("Recent", action=forget)
        for number, item in enumerate(items):
            if number:
                card.body.addWidget(hairline())
            card.body.addLayout(self._line(item))
        card.body.addLayout(row(sample, None))
        self._recent.addWidget(card)

    def _line(self, item: Recent) -> QHBoxLayout:
        opener = Button(
            Path(item.path).name or item.path,
            lambda: self._actions.open_paths([item.path]),
            icon="image",
            kind="quiet",
            name=f"Open {item.path}",
        )
        opener.setToolTip(item.path)
        mark = item.verdict if item.verdict in MARKS else "unknown"
        return row(
            opener,
            None,
            IconLabel(mark),
            label(item.sentence, "dim", wrap=False),
            4,
            label(when_text(item.when), "note", wrap=False),
        )
