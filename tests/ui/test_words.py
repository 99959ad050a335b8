"""What is shown: translated by whole texts and templates, and without names in a talk."""

import ast
from pathlib import Path

import pytest

from kataui.ui import words
from kataui.ui.presenter import Presenter, talk_of_open_pages
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.text import label
from kataui.ui.words import BAR, tr

UI = Path(words.__file__).parent
SINKS = {
    *("setToolTip", "setAccessibleName", "setAccessibleDescription", "setPlaceholderText"),
    *("setWindowTitle", "addTab", "setTabText", "showText", "elidedText", "addItem", "addAction"),
    *("drawText", "QCheckBox", "QRadioButton", "QPushButton", "QAction", "QLabel"),
}


@pytest.fixture
def german():
    words.speak("de")
    yield
    words.speak("en")


@pytest.fixture
def book():
    return words._Book(
        {
            "Layers": "Schichten",
            "Pass": "Bestanden",
            "{} layers of {} differ.": "Von {1} unterscheiden sich {0} Schichten.",
            "{} layers": "{} Schichten",
            "Only {} has it.": "Nur {} hat es.",
            "the pod": "der Pod",
        }
    )


def test_a_text_is_told_whole_or_by_its_template(book):
    assert book.say("Layers") == "Schichten"
    assert book.say("3 layers of app differ.") == "Von app unterscheiden sich 3 Schichten."
    assert book.say("Only the pod has it.") == "Nur der Pod hat es."
    assert book.say("Nobody translated this") == "Nobody translated this"


def test_sentences_lines_and_facts_are_told_one_by_one(book):
    assert book.say("Only A has it. Only B has it.") == "Nur A hat es. Nur B hat es."
    assert book.say("Layers\nPass") == "Schichten\nBestanden"
    assert book.say("OCI · 3 layers · x") == "OCI · 3 Schichten · x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2 errors, 1 warning, 1 note", "2 Fehler, 1 Warnung, 1 Hinweis"),
        ("2 files written to /tmp/out.", "2 Dateien nach /tmp/out geschrieben."),
        ("pod.yaml is saved.", "pod.yaml ist gespeichert."),  # not by "{} is {}"
        ("app@sha256:0… is not encrypted: anyone who gets it can read it.", "app@sha256:0… ist"),
        ("mirrors both ways.", "spiegelt beide Richtungen."),
        ("Who held the signing key.", "Wer den Signierschlüssel hatte."),  # a part, made whole
        ("Build, protect, ship 2", "Bauen, schützen, ausliefern 2"),
        ("Open again: Docker in Kata", "Wieder öffnen: Docker in Kata"),  # the same in German
        ("Argo CD deploys: container", "Argo CD verteilt: Container"),
    ],
)
def test_what_is_put_together_is_told_by_its_most_precise_template(german, text, said):
    assert tr(text).startswith(said)


def test_braces_in_what_is_filled_in_stay(book):
    assert book.say("Only {x} has it.") == "Nur {x} hat es."


def test_english_is_the_text_itself(qapp):
    words.speak("en")
    assert tr("Layers") == "Layers"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ssh to 10.2.33.4 failed", f"ssh to {BAR * 9} failed"),
        ("fe80::1ff:fe23:4567:890a", BAR * 24),
        ("52:54:00:12:34:56", BAR * 17),
        ("registry.corp.internal/team/app", f"{BAR * 22}/team/app"),
        ("/home/ada/key.pem", f"/home/{BAR * 3}/key.pem"),
        ("API_KEY=sk_l••••••••", f"API_KEY={BAR * 12}"),
        ("io.katacontainers.config.hypervisor", "io.katacontainers.config.hypervisor"),
        ("registry.example.org/team/app", "registry.example.org/team/app"),
        ("app.kubernetes.io/name: a", "app.kubernetes.io/name: a"),
        ("at 14:02:33, 12.5 %", "at 14:02:33, 12.5 %"),
        ("kata-node-7 waits", f"{BAR * 11} waits"),
    ],
)
def test_names_addresses_and_secrets_are_hidden(qapp, text, told):
    words.keep_private("kata-node-7")
    words.hide_names(hidden=True)
    try:
        assert tr(text) == told
    finally:
        words.hide_names(hidden=False)
    assert tr(text) == text


def test_what_is_presented_hides_names_and_shows_them_again(window, qtbot):
    shown = label("from 10.1.2.3")
    code = CodeBox("server: 10.1.2.3", name="A command")
    qtbot.addWidget(shown)
    qtbot.addWidget(code)
    presenter = Presenter(window, talk_of_open_pages(window))
    presenter.start()
    assert shown.text() == f"from {BAR * 8}"
    assert BAR in code._edit.toPlainText()
    assert code.text == "server: 10.1.2.3"
    presenter.end()
    assert shown.text() == "from 10.1.2.3"
    assert code._edit.toPlainText() == "server: 10.1.2.3"


def _told_directly(path: Path) -> list[str]:
    """Texts that are written into a widget without ``tr``."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        for value in node.args if name in SINKS else ():
            texts = [value] if isinstance(value, ast.Constant | ast.JoinedStr | ast.IfExp) else []
            parts = [part for text in texts for part in ast.walk(text)]
            said = "".join(
                part.value
                for part in parts
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )
            if sum(map(str.isalpha, said)) > 2:
                found.append(f"{path.name}:{node.lineno} {said}")
    return found


def test_every_text_passes_tr():
    found = [text for path in sorted(UI.rglob("*.py")) for text in _told_directly(path)]
    assert found == []
