"""Every screen, in both themes, small and large, wide and narrow."""

import pytest

from kataui.ui import app as application
from kataui.ui import theme
from kataui.ui.images.opening import TOOLS, Images
from kataui.ui.images.wizard import ProtectWizard
from tests.images.builders import tiny_layout
from tests.ui.helpers import clipped, unnamed

PAGES = ["home", "images", "verify", "keys", "settings"]


def settle(qtbot, window) -> None:
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)
    qtbot.wait(30)


def check(window, what: str) -> None:
    assert unnamed(window) == [], what
    assert clipped(window) == [], what


@pytest.mark.parametrize("percent", [100, 200])
@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (1000, 700)])
def test_no_page_clips_words_or_lacks_names(styled, qtbot, name, percent, size):

    theme.set_theme(name, percent)
    window = application.make_window()
    qtbot.addWidget(window)
    window.resize(*size)
    window.show()

    for key in (*PAGES, *TOOLS):
        window.findChild(Images).open_tool(key) if key in TOOLS else window.go(key)
        settle(qtbot, window)
        check(window, f"{key} {name} {percent} {size}")
    window.close()


@pytest.mark.parametrize("percent", [100, 200])
def test_image_page_and_wizard_keep_names_and_words(styled, qtbot, tmp_path, keys, percent):

    theme.set_theme("dark", percent)
    window = application.make_window()
    qtbot.addWidget(window)
    window.resize(1440, 900)
    window.show()
    source = tiny_layout(tmp_path / "source", env=["PAYMENT_API_KEY=sk_live_0123456789abcdefghij"])
    window.open_paths([str(source)])
    settle(qtbot, window)
    check(window, "image")

    window.findChild(Images).start_protect((str(source),))
    settle(qtbot, window)
    wizard = window.findChild(ProtectWizard)
    wizard._set_expert("Expert")
    for step in list(wizard.pages)[:6]:
        if step.value == "Layers":
            wizard._go_on()
            settle(qtbot, window)
        wizard.go(step)
        settle(qtbot, window)
        check(window, f"wizard {step}")
    window.close()


def test_contrast_of_text_is_enough_in_both_themes():
    def luminance(text):
        channels = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one, two):
        light, dark = sorted((luminance(one), luminance(two)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    for name in ("light", "dark"):
        tokens = theme.tokens()[name]
        for role in ("text", "text_secondary", "text_tertiary"):
            for ground in ("window", "surface", "sidebar"):
                assert contrast(tokens["neutral"][role], tokens["neutral"][ground]) >= 4.5
        for colors in tokens["semantic"].values():
            assert contrast(colors["text"], colors["tint"]) >= 4.5
