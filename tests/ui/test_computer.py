"""The page about this computer, the card on Home, and the demo's button."""

from PySide6.QtWidgets import QLabel

from kataui.doctor.model import Ability
from kataui.ui.computer.computerpage import PartRow
from kataui.ui.home import HomePage
from kataui.ui.widgets.codebox import CodeBox


def test_the_page_has_a_row_for_each_part_and_exports(window, qtbot, tmp_path):
    window.go("computer")
    page = window.page("computer")
    qtbot.waitUntil(lambda: len(page.findChildren(PartRow)) > 15, timeout=20_000)
    names = [row.accessibleName() for row in page.findChildren(PartRow)]
    assert any(name.startswith("Python: Here. 3.") for name in names)
    page.export(str(tmp_path / "out.json"))
    assert (tmp_path / "out.json").read_text().startswith("{")
    page.export(str(tmp_path / "no" / "such" / "folder.txt"))
    assert window.messages.text
    assert all(box.text for box in page.findChildren(CodeBox))


def test_home_says_what_is_possible_and_what_lacks(window, qtbot):
    home = window.findChild(HomePage)
    home.show_abilities((Ability("Fly"), Ability("Swim", "needs water")))
    told = " ".join(child.text() for child in home.findChildren(QLabel))
    assert "Fly" in told
    assert "needs water" in told
