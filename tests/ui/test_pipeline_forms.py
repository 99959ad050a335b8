"""The gallery and the forms of pipelines, as a person uses them."""

import pytest
import yaml
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from kataui.kata.manifest import parse
from kataui.pipelines.catalogue import own_folder
from kataui.ui import app as application
from kataui.ui.pipelines.answerfield import NoteLine
from kataui.ui.pipelines.drafts import drafts_folder
from kataui.ui.pipelines.findingsbox import FindingLine
from tests.ui.pipelinehelp import PATIENCE_MS, checked, inside, open_form, type_into

OWN = """\
format: 1
id: mine
title: Mine
system: Kubernetes
version: "1"
why: A test.
parameters:
  - {name: name, title: Name, kind: name, default: a, help: h, group: g}
files:
  pod.yaml:
    objects:
      - apiVersion: v1
        kind: Pod
        metadata: {name: "${name}"}
        spec:
          runtimeClassName: kata-qemu-runtime-rs
          containers: [{name: a, image: b, resources: {limits: {cpu: 4}}}]
"""


def values_of(page) -> dict:
    [document] = parse(page.state.view.rendered.file("values.yaml").text, "values.yaml")
    return document.value


def test_gallery_is_searched_by_words_and_by_system(window, qtbot) -> None:
    window.go("pipelines")
    page = window.page("pipelines").page
    assert len(page.found) == 17

    page.search.setText("gitlab")
    assert [card.template.id for card in page.found] == ["gitlab-runner"]
    qtbot.keyClick(page.search, Qt.Key.Key_Return)
    assert window.page(window.current_key).state.template.id == "gitlab-runner"


def test_every_template_opens_with_its_usual_answers_and_no_error(window, qtbot) -> None:
    for template in inside(window).catalogue.templates:
        page = open_form(window, qtbot, template.id, filled=True)
        found = [f for f in page.form.examined.findings if f.severity == "error"]
        assert (template.id, found) == (template.id, [])
        assert page.state.view.problems == ()
        window.close_page(window.current_key)


def test_what_is_typed_changes_the_file_and_its_lines_are_marked(window, qtbot) -> None:
    page = open_form(window, qtbot, "gitlab-runner")
    type_into(qtbot, page, "gitlabUrl", "https://git.example.org")

    assert values_of(page)["gitlabUrl"] == "https://git.example.org"
    assert page.form.files.current == "values.yaml"
    assert page.form.files.view.changed == {1}
    assert page.state.view.by == "GitLab"


def test_undo_takes_back_a_whole_field_and_redo_gives_it_again(window, qtbot) -> None:
    page = open_form(window, qtbot, "gitlab-runner")
    type_into(qtbot, page, "name", "one")
    type_into(qtbot, page, "gitlabUrl", "https://git.example.org")

    page.form.undo()
    assert values_of(page)["gitlabUrl"] == "https://gitlab.com"
    assert page.form.form.fields["gitlabUrl"].control.inner[0].text() == "https://gitlab.com"
    page.form.undo()
    assert values_of(page)["serviceAccount"]["name"] == "gitlab-runner-kata"
    page.form.redo()
    page.form.redo()
    assert values_of(page)["gitlabUrl"] == "https://git.example.org"
    assert page.form._redo.toolTip() == "Nothing was taken back."


def test_a_wrong_answer_is_told_after_the_field_is_left_and_nothing_is_lost(window, qtbot) -> None:
    page = open_form(window, qtbot, "gitlab-runner")
    field = page.form.form.fields["gitlabUrl"]
    type_into(qtbot, page, "gitlabUrl", "no url")
    assert field.problem == ""  # nobody is scolded while typing

    page.form.form.fields["name"].take_focus()
    assert "https://" in field.problem
    assert values_of(page)["gitlabUrl"].startswith("https://")  # the file is valid all the time
    assert field.control.inner[0].text() == "no url"
    page.form.export()
    assert page.exporting is None


def test_a_question_comes_only_when_its_condition_holds(window, qtbot) -> None:
    page = open_form(window, qtbot, "gitlab-runner")
    page.form.form.go_to("layers")
    layers = page.form.form.fields["layers"]
    assert not layers.isVisible()
    page.form.form.fields["docker"].control.inner[0].click()

    assert page.form.form.go_to("layers")
    assert layers.isVisible()


def test_the_machine_that_boots_is_told_below_the_amounts(window, qtbot) -> None:
    page = open_form(window, qtbot, "gitlab-runner")
    notes = page.form.form.findChildren(NoteLine)
    [told] = [note for note in notes if "Kata boots" in note.words.text()]

    assert told.isVisible()
    assert told.words.text().startswith("Kata boots 3 CPUs and 4.53 GiB.")
    type_into(qtbot, page, "cpuLimit", "6")
    qtbot.waitUntil(lambda: "7 CPUs" in told.words.text(), timeout=PATIENCE_MS)


def test_the_command_that_makes_the_secret_has_the_names(window, qtbot) -> None:
    page = open_form(window, qtbot, "gitlab-runner")
    type_into(qtbot, page, "tokenSecret", "my-token")

    command = page.form.form.fields["tokenSecret"].command
    assert " create secret generic my-token " in command
    assert "token.txt" in command


def test_a_finding_leads_to_its_line_and_a_line_to_its_field(window, qtbot) -> None:
    page = open_form(window, qtbot, "tekton-confidential", filled=True)
    line = next(
        one
        for one in page.form.findChildren(FindingLine)
        if one.finding.location and one.finding.location.file == "deploy.yaml"
    )
    line.buttons["Go to line"].click()
    assert page.form.files.current == "deploy.yaml"
    assert page.form.files.view.textCursor().blockNumber() + 1 == line.finding.location.line

    page.form.files.go_to("run.yaml", 1)
    text = page.state.view.rendered.file("run.yaml").text.split("\n")
    at = next(i for i, one in enumerate(text, 1) if "runtimeClassName" in one)
    page.form.go_to_field("run.yaml", at)
    assert page.form.form.focused().parameter.name == "runtimeClass"
    page.form.go_to_field("run.yaml", 1)
    assert page.form.findings.words == "No answer decides line 1: the template does"


def test_a_stage_leads_to_its_line_and_its_field(window, qtbot) -> None:
    page = open_form(window, qtbot, "tekton-confidential", filled=True)
    scan = next(b for b in page.form.strip.buttons if "Scan" in b.accessibleName())
    scan.click()

    assert page.form.files.current == "tasks.yaml"
    assert page.form.form.focused().parameter.name == "scan"


def test_another_kubernetes_is_checked_and_offers_what_it_knows(window, qtbot) -> None:
    page = open_form(window, qtbot, "gitlab-runner")
    versions = [page.form._version.itemData(i) for i in range(page.form._version.count())]
    assert "1.30" in versions
    page.form._version.setCurrentIndex(versions.index("1.30"))
    checked(qtbot, page)

    assert page.state.kubernetes == "1.30"
    assert page.form.findings.words == "Nothing was found"


def test_answers_survive_a_restart_and_a_closed_form_is_reopened(
    window, qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_form(window, qtbot, "gitlab-runner")
    type_into(qtbot, page, "gitlabUrl", "https://git.example.org")
    page.keep()
    key = window.current_key

    again = application.make_window()
    qtbot.addWidget(again)
    again.show()
    try:
        again.go(key)
        kept = again.page(key)
        assert kept.state.values["gitlabUrl"] == "https://git.example.org"
        again.close_page(key)
        again.go("pipelines")
        [closed] = inside(again)._closed()
        inside(again).reopen(closed)
        assert again.page(again.current_key).state.answered == {
            "gitlabUrl": "https://git.example.org"
        }
    finally:
        again.setProperty("sure", True)
        again.close()


def test_no_secret_is_ever_kept(window, qtbot) -> None:
    page = open_form(window, qtbot, "gitlab-runner")
    type_into(qtbot, page, "tokenSecret", "glrt-1234567890abcdefghij")
    page.form.form.fields["name"].take_focus()
    page.keep()
    [kept] = drafts_folder().glob("*.json")

    assert page.form.form.fields["tokenSecret"].problem.startswith("That looks like the secret")
    page.form.export()
    assert page.exporting is None
    assert "glrt-" not in kept.read_text()


def test_a_template_of_ones_own_is_checked_like_ours_and_a_broken_one_is_told(
    window, qtbot
) -> None:
    for name, text in (("mine", OWN), ("broken", "format: 1\nid: [")):
        (own_folder() / name).mkdir(parents=True)
        (own_folder() / name / "template.yaml").write_text(text)
    window.go("pipelines")
    assert len(window.page("pipelines").page.found) == 18

    page = open_form(window, qtbot, "mine")
    assert "K-MEM" in {f.id[:5] for f in page.form.examined.findings}
    [broken] = inside(window).catalogue.broken
    assert "broken" in str(broken)


def test_copy_gives_the_file_that_is_shown(window, qtbot) -> None:
    page = open_form(window, qtbot, "gitlab-runner")
    page.form.files.copy()

    text = QGuiApplication.clipboard().text()
    assert yaml.safe_load(text) == values_of(page)
