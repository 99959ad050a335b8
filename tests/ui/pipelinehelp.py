"""Opening pipelines in a window, and waiting until they were checked."""

from pathlib import Path

from kataui.ui.pipelines.entrance import Entrance
from kataui.ui.pipelines.filepage import FilePage
from kataui.ui.pipelines.opening import Pipelines
from kataui.ui.pipelines.pipelinepage import PipelinePage
from tests.pipelines.matrix import usual

PATIENCE_MS = 20_000


def inside(window) -> Pipelines:
    """The tab's controller."""
    return window.findChildren(Entrance)[0].inside


def open_form(window, qtbot, name: str, *, filled: bool = False) -> PipelinePage:
    """A form, checked."""
    tab = inside(window)
    tab.open_template(tab.catalogue.get(name))
    page = window.page(window.current_key)
    if filled:
        for field, value in usual(page.state.template).items():
            page.form._on_answer(field, value)
        page.form._show_answers()
    checked(qtbot, page)
    return page


def checked(qtbot, page: PipelinePage) -> None:
    """Wait until the findings are those of the present answers."""
    qtbot.waitUntil(lambda: page.form.findings.words != "Checking…", timeout=PATIENCE_MS)


def open_file(window, qtbot, path: Path, *, adopt: bool = False) -> FilePage:
    """The page of a file, read."""
    inside(window)._open_file(str(path), adopt=adopt)
    page = window.page(window.current_key)
    qtbot.waitUntil(lambda: page.looked is not None, timeout=PATIENCE_MS)
    return page


def type_into(qtbot, page: PipelinePage, name: str, text: str) -> None:
    """Type as a person does: into the field, letter by letter."""
    edit = page.form.form.fields[name].control.inner[0]
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, text)
