"""From tab to tab: a protected image into a pipeline, a benchmark to the graphs and back."""

import pytest
from PySide6.QtWidgets import QPushButton

from kataui.images.protectsample import protect_sample
from kataui.progress import Control
from kataui.ui.pipelines.formpage import FormPage


@pytest.fixture
def protected(tmp_path):
    return protect_sample(tmp_path / "sample", Control())


def button(page, name):
    (found,) = (one for one in page.findChildren(QPushButton) if one.accessibleName() == name)
    return found


def form(window) -> FormPage:
    (found,) = window.page(window.current_key).findChildren(FormPage)
    return found


def test_a_protected_image_goes_into_a_pipeline_with_one_click(window, images, qtbot, protected):
    images.open_image(str(protected.written.path))
    page = window.page(window.current_key)
    qtbot.waitUntil(page.header.use.isVisible, timeout=20_000)

    page.header.use.click()

    pin = protected.receipt.value["pin"]
    assert form(window).state.template.id == "coco-pod"
    assert form(window).state.values["image"] == pin


def test_an_image_that_nobody_signed_offers_no_pipeline(window, images, qtbot, protected):
    images.open_image(str(protected.written.path.parent / "source"))
    page = window.page(window.current_key)
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)
    assert not page.header.use.isVisible()


def test_the_benchmark_leads_to_the_graphs(window):
    window.fill("isolation-benchmark", {})
    button(form(window), "Watch the host").click()
    assert window.current_key == "isolation"
