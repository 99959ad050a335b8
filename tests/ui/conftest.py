"""A real window on Qt's offscreen platform, closed after each test with no thread left."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from kataui.ui import app as application
from kataui.ui import theme
from kataui.ui.images.opening import Images
from kataui.ui.window import Window
from tests.ui.helpers import discard


@pytest.fixture(scope="session")
def qapp_cls() -> type[QApplication]:
    return QApplication


@pytest.fixture
def styled(qapp: QApplication) -> Iterator[QApplication]:
    """The application with its theme; light and 100 % again afterwards."""
    if not theme.state().base_points:
        theme.start(qapp, "light", 100)
    _usual_theme()
    yield qapp
    _usual_theme()


def _usual_theme() -> None:
    """Each change polishes every widget anew, so none is made that changes nothing."""
    if (theme.state().wanted, theme.state().percent) != ("light", 100):
        theme.set_theme("light", 100)


@pytest.fixture
def window(styled, qtbot, tmp_path: Path) -> Iterator[Window]:
    made = application.make_window()
    made.resize(1440, 900)
    made.show()
    yield made
    discard(made)


@pytest.fixture
def images(window: Window) -> Images:
    found = window.findChild(Images)
    assert isinstance(found, Images)
    return found
