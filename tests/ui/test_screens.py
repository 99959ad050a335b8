"""Every screen, in both themes, small and large, wide and narrow."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.exceptions import TimeoutError as WaitedTooLong

from kataui.images.protectsample import IDENTITY, protect_sample
from kataui.isolation.incidents import incidents
from kataui.progress import Control, Progress
from kataui.ui import app as application
from kataui.ui import theme
from kataui.ui.images.flow import STEPS, Step
from kataui.ui.images.opening import TOOLS, Images
from kataui.ui.images.wizard import ProtectWizard
from kataui.ui.images.worklines import plan
from kataui.ui.isolation.entrance import Entrance as Isolation
from kataui.ui.pipelines.entrance import Entrance as Pipelines
from kataui.ui.widgets.bigbutton import BigButton
from kataui.ui.window import Window
from tests.pipelines.matrix import usual
from tests.ui.helpers import (
    banners,
    clipped,
    cut_code,
    discard,
    primaries,
    sideways,
    speechless,
    tab_stops,
    unnamed,
    walk,
)

SHAPES = [
    ("light", 100, (1440, 900)),
    ("dark", 100, (1280, 720)),
    ("dark", 100, (1000, 700)),
    ("light", 200, (1440, 900)),
    ("light", 200, (1000, 700)),
]
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: agent}
spec:
  hostNetwork: true
  containers:
    - name: agent
      image: registry.example.org/agent
      resources: {limits: {cpu: 2}}
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    """A source, its protected copy and throwaway keys."""
    folder = tmp_path_factory.mktemp("screens") / "sample"
    protect_sample(folder, Control())
    return folder


def settle(qtbot, window) -> None:
    qtbot.wait(30)  # what is begun by a timer of 0 is begun
    qtbot.waitUntil(lambda: window.jobs.idle, timeout=20_000)
    qtbot.wait(30)


def screens(qtbot, window: Window, sample: Path, work: Path) -> Iterator[str]:
    """Go through all screens; each is settled when its name comes."""
    images = window.findChild(Images)
    for key in ("home", "images", "settings"):
        window.go(key)
        yield key
    for key in TOOLS:
        images.open_tool(key)
        yield key
    for name in ("source", "protected", "missing"):
        images.open_image(str(sample / name))
        settle(qtbot, window)
        yield f"image {name}"
    yield from verified(qtbot, window, sample)
    yield from wizard_pages(qtbot, window, sample, work)
    yield from pipeline_pages(qtbot, window, work)
    yield from isolation_pages(qtbot, window)
    window.go("home")
    yield "home with recent things"


def verified(qtbot, window, sample) -> Iterator[str]:
    window.findChild(Images).start_verify(str(sample / "protected"))
    page = window.page("verify")
    page.public_key.set_text(str(sample / "keys" / "throwaway-signing.pub"))
    page.key.set_text(str(sample / "keys" / "throwaway-recipient.key"))
    page.start()
    settle(qtbot, window)
    yield "verified"


def wizard_pages(qtbot, window, sample, work) -> Iterator[str]:
    window.findChild(Images).start_protect((f"oci:{sample / 'source'}",))
    wizard = window.findChildren(ProtectWizard)[-1]
    yield "wizard source"
    wizard.go_on()
    settle(qtbot, window)
    keys = sample / "keys"
    wizard.flow = replace(
        wizard.flow,
        answers=replace(
            wizard.flow.answers,
            recipients=(f"jwe:{keys / 'throwaway-recipient.pub'}",),
            sign_key=str(keys / "throwaway-signing.key"),
            identity=IDENTITY,
            destination=str(work / "protected-again"),
            keys=(str(keys / "throwaway-recipient.key"),),
            layers="above-base",
            base="2",
        ),
    )
    for mode in ("Guided", "Expert"):
        wizard.set_expert(mode)
        for step in STEPS[: STEPS.index(Step.PROTECT)]:
            wizard.go(step)
            yield f"wizard {step} {mode}"
    wizard.work_step.begin(plan(wizard.flow))
    wizard.go(Step.PROTECT)
    wizard.work_step.show_progress(Progress("Encrypting layer 3 of 4", 1000, 2_098_000))
    yield "wizard at work"
    wizard.run({"Passphrase of throwaway-signing.key": ""})
    settle(qtbot, window)
    assert wizard.step is Step.PROOF
    yield "wizard proof"
    wizard._proof.show_error(OSError("something odd"))
    yield "wizard failed"


def pipeline_pages(qtbot, window, work) -> Iterator[str]:
    window.go("pipelines")
    yield "gallery"
    inside = window.findChildren(Pipelines)[0].inside
    for name in ("gitlab-runner", "tekton-confidential"):
        inside.open_template(inside.catalogue.get(name))
        page = window.page(window.current_key)
        checked(qtbot, window, page)
        yield f"form {name}"
        for field, value in usual(page.state.template).items():
            page.form._on_answer(field, value)
        page.form._show_answers()
        for group in page.form.form._groups:
            group.unfold()
        for field in page.form.form.fields.values():
            field.toggle_help()
        checked(qtbot, window, page)
        yield f"form {name} filled, all of it"
        page.form._show_side("Files")
        yield f"files {name}"
    page.export()
    page.exporting.folder.set_text(str(work / "pipeline"))
    settle(qtbot, window)
    yield "export"
    (work / "task.yaml").write_text(POD)
    inside.open_paths([str(work / "task.yaml")])
    settle(qtbot, window)
    yield "file with findings"
    page = window.page(window.current_key)
    page.adopt()
    settle(qtbot, window)
    assert page.adopting is not None
    yield "put on Kata"


def checked(qtbot, window, page) -> None:
    qtbot.waitUntil(lambda: page.form.examined is not None, timeout=20_000)
    settle(qtbot, window)


def isolation_pages(qtbot, window) -> Iterator[str]:
    window.go("isolation")
    yield "isolation"
    inside = window.findChildren(Isolation)[0].inside
    inside.open_incident(incidents()[0])
    page = window.page(window.current_key)
    qtbot.waitUntil(lambda: page.deck.picture is not None, timeout=20_000)
    begin_us, end_us = page.deck.range_us
    page.deck.seek(int(begin_us + (end_us - begin_us) * 0.9))
    for index in range(page.tabs.count()):
        page.tabs.setCurrentIndex(index)
        settle(qtbot, window)
        yield f"isolation {page.tabs.tabText(index)}"
    page.open_sandbox(page.deck.picture.view.sandboxes[0].key)
    settle(qtbot, window)
    yield "isolation sandbox"


@pytest.fixture
def open_window(styled, qtbot, tmp_path):
    made = []

    def make(name: str, percent: int, size: tuple[int, int]) -> Window:
        theme.set_theme(name, percent)
        window = application.make_window()
        window.resize(*size)
        window.show()
        made.append(window)
        return window

    yield make
    for window in made:
        discard(window)


@pytest.mark.parametrize(("name", "percent", "size"), SHAPES)
def test_every_screen_keeps_names_and_words_and_its_width(
    open_window, qtbot, sample, tmp_path, name, percent, size
):
    window = open_window(name, percent, size)

    for what in screens(qtbot, window, sample, tmp_path):
        with suppress(WaitedTooLong):  # layouts settle by and by; then it is told what is wrong
            qtbot.waitUntil(lambda: not clipped(window) + sideways(window), timeout=500)
        assert (window.width(), window.height()) == size, what  # nothing needs more than there is
        assert unnamed(window) == [], what
        assert speechless(window) == [], what
        assert clipped(window) == [], what
        assert sideways(window) == [], what
        assert cut_code(window) == [], what
        assert len(primaries(window)) <= 1, what
        assert len(banners(window)) <= 1, what


def test_a_title_has_room_beside_actions_that_came_later(open_window, qtbot, sample):
    window = open_window("dark", 200, (1440, 900))
    window.findChild(Images).open_image(str(sample / "protected"))
    settle(qtbot, window)
    page = window.page(window.current_key)
    qtbot.waitUntil(lambda: page.title.height() < 2 * page.title.fontMetrics().lineSpacing())


class Strays(QObject):
    """Notes what appears as a window of its own: a widget that is shown before it has a parent."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        window = isinstance(watched, QWidget) and watched.isWindow()
        if event.type() is QEvent.Type.Show and window and not isinstance(watched, Window):
            self.seen.append(f"{type(watched).__name__} {watched.accessibleName()}")
        return False


def test_nothing_flashes_up_outside_the_window(open_window, qtbot, sample, tmp_path, qapp):
    strays = Strays()
    qapp.installEventFilter(strays)
    window = open_window("light", 100, (1440, 900))

    for what in screens(qtbot, window, sample, tmp_path):
        assert strays.seen == [], what
    qapp.removeEventFilter(strays)


def test_tab_reaches_everything_on_every_screen_and_comes_round(
    open_window, qtbot, sample, tmp_path
):
    window = open_window("light", 100, (1440, 900))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)

    for what in screens(qtbot, window, sample, tmp_path):
        wanted = tab_stops(window)
        for key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            window.sidebar.take_focus()
            start = QApplication.focusWidget()
            seen = walk(key, len(wanted) + 1)
            assert {w.accessibleName() for w in wanted - set(seen)} == set(), what
            assert start in seen, f"{what}: the focus does not come back"


def test_enter_presses_what_has_the_focus(window, images, qtbot):
    window.go("images")
    page = window.page("images")
    line = next(b for b in page.findChildren(BigButton) if b.accessibleName() == "Sign")
    qtbot.keyClick(line, Qt.Key.Key_Return)

    assert window.current_key == "sign"


@pytest.mark.parametrize(("name", "least"), [("light", 4.5), ("dark", 4.5), ("contrast", 7)])
def test_contrast_of_text_is_enough_in_every_theme(name, least):
    def luminance(text):
        channels = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one, two):
        light, dark = sorted((luminance(one), luminance(two)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    tokens = theme.tokens()[name]
    neutral = tokens["neutral"]
    for role in ("text", "text_secondary", "text_tertiary"):
        for ground in ("window", "surface", "sidebar", "raised", "sunken"):
            assert contrast(neutral[role], neutral[ground]) >= least, (role, ground)
    for colors in tokens["semantic"].values():
        assert contrast(colors["text"], colors["tint"]) >= least
        assert contrast(colors["text"], neutral["surface"]) >= least
        assert contrast(colors["mark"], neutral["surface"]) >= 3
    assert contrast(tokens["accent"]["on_accent"], tokens["accent"]["accent"]) >= least
    for edge in (neutral["control"], tokens["accent"]["focus"]):
        assert contrast(edge, neutral["surface"]) >= 3


@pytest.fixture
def right_to_left(qapp):
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    yield
    qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def test_every_screen_fits_where_one_reads_from_right_to_left(
    right_to_left, open_window, qtbot, sample, tmp_path
):
    window = open_window("light", 100, (1000, 700))

    for what in screens(qtbot, window, sample, tmp_path):
        with suppress(WaitedTooLong):
            qtbot.waitUntil(lambda: not clipped(window) + sideways(window), timeout=500)
        assert clipped(window) + sideways(window) == [], what
        assert window.sidebar.mapTo(window, window.sidebar.rect().topRight()).x() > 900, what
