"""The files of resources/."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from kataui import resources


def test_the_palette_is_json() -> None:
    assert json.loads(resources.text("palette.json"))


def test_every_icon_is_svg_without_anything_foreign() -> None:
    icons = sorted(resources.path("icons").glob("*.svg"))

    assert len(icons) > 20
    for icon in icons:
        assert ET.fromstring(icon.read_text()).tag == "{http://www.w3.org/2000/svg}svg", icon.name


def test_a_missing_resource_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        resources.text("none.txt")


def test_a_checkout_uses_its_own_folder() -> None:
    assert resources.path("icons") == Path(__file__).resolve().parents[1] / "resources" / "icons"
