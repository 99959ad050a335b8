"""Acting on a window as its user does: what the talk and the pictures of all screens share."""

import time
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QEventLoop, QObject, QTimer

from kataui.ui.demo.scratch import IDENTITY, Scratch
from kataui.ui.images.opening import Images
from kataui.ui.isolation import entrance as isolation
from kataui.ui.pipelines import entrance as pipelines
from kataui.ui.window import HOME, Window

FORM = "tekton-confidential"
ANSWERS = {
    "gitUrl": "https://git.example.org/shop/checkout.git",
    "pushTo": "registry.example.org/staging/checkout",
    "finalImage": f"{IDENTITY}:2.4.1",
    "kbsUrl": "https://kbs.example.org:8080",
}
_PATIENCE_S = 60.0
_TURN_MS = 10
_Kind = TypeVar("_Kind", bound=QObject)


class Stage:
    """A window, and the sample data to show in it."""

    def __init__(self, window: Window, scratch: Scratch) -> None:
        self.window, self.scratch = window, scratch
        self.images = _child(window, Images)
        self._isolation = _child(window, isolation.Entrance)
        self._pipelines = _child(window, pipelines.Entrance)

    @property
    def page(self) -> Any:
        """The page that is shown; which one it is, the caller knows."""
        return self.window.page(self.window.current_key)

    @property
    def busy(self) -> bool:
        """Whether something that was begun is not shown yet."""
        deck = getattr(self.page, "deck", None)
        late = deck is not None and (deck.picture is None or deck.working or deck.seeking)
        return self.window.jobs.busy or late

    @property
    def _unsettled(self) -> bool:
        return self.busy or not self.window.jobs.idle

    def settle(self, extra_s: float = 0.1) -> None:
        """Wait for what goes on, and for the last painting. For pictures only: it blocks.

        Quiet jobs are waited for too: they bring what a picture shows, such as a file's findings.
        """
        latest_s = time.monotonic() + _PATIENCE_S
        until_s = time.monotonic() + extra_s
        while (now_s := time.monotonic()) < latest_s and (self._unsettled or now_s < until_s):
            loop = QEventLoop()  # lets the workers run; QTest.qWait would keep Python for itself
            QTimer.singleShot(_TURN_MS, loop.quit)
            loop.exec()
            if self._unsettled:
                until_s = time.monotonic() + extra_s

    def clear(self) -> None:
        """Close every page that was opened, and go home."""
        self.window.go(HOME)
        keys = self.window.sidebar.keys()
        for key in filter(self.window.can_close, keys):
            self.window.close_page(key)

    def open_image(self, path: Path) -> None:
        """An image's page."""
        self.images.open_image(str(path))

    def open_pod(self, path: Path) -> None:
        """A pod's page; what it found before is looked up again."""
        self.images.pods.open(str(path))

    def open_form(self, name: str = FORM, *, filled: bool = True) -> None:
        """A template's form, with sensible answers or as it begins."""
        inside = self._pipelines.inside
        template = inside.catalogue.get(name)
        values = {
            one.name: ANSWERS[one.name]
            for one in template.parameters
            if filled and one.name in ANSWERS
        }
        inside.open_template(template, values)

    def open_pipeline(self, path: Path) -> None:
        """A pipeline's file."""
        self._pipelines.inside.open_paths([str(path)])

    def open_recording(self, identifier: str) -> None:
        """A recorded incident, from the scratch folder."""
        incident = next(one for one in self.scratch.recordings if one.id == identifier)
        self._isolation.inside.open_incident(incident)

    def seek(self, seconds: float) -> None:
        """The recording that is shown, so long after its beginning."""
        deck = self.page.deck
        deck.seek(deck.range_us[0] + round(seconds * 1e6))


def _child(window: Window, kind: type[_Kind]) -> _Kind:
    found = window.findChild(kind)
    assert isinstance(found, kind)  # noqa: S101 - make_window gives it
    return found
