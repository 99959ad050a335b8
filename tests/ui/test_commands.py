"""Every act as the command that does the same: shown, right, saved, and what it writes is equal."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kataui.pipelines import catalogue
from kataui.pipelines.checks import DEFAULT
from kataui.ui.commanddialog import CommandDialog
from kataui.ui.images.opening import TOOLS, Images
from kataui.ui.images.taskpage import TaskPage
from kataui.ui.pipelines.formstate import FormState
from kataui.ui.pipelines.rendering import rendering
from tests.images.builders import tiny_layout
from tests.images.protecting import answers, judge, run
from tests.pipelines.matrix import usual
from tests.ui.helpers import verb_of


def tool(window, name: str) -> TaskPage:
    window.findChild(Images).open_tool(name)
    return window.page(name)


@pytest.mark.parametrize("name", [name for name in TOOLS if name != "keys"])
def test_each_tool_shows_its_command(window, qtbot, name):
    page = tool(window, name)
    if not isinstance(page, TaskPage):
        return
    page.command_card.toggle.click()
    assert page.command_card.isVisible()
    assert shlex.split(page.command_card.code.text.replace("\\\n", "")) == page.as_command()
    assert verb_of(page.as_command()).replace(" ", "") in f"image{name}key{name}{name}"
    page.command_card.toggle.click()
    assert not page.command_card.isVisible()


def test_the_command_follows_the_fields(window, qtbot):
    page = tool(window, "sign")
    page.command_card.toggle.click()
    assert "IMAGE" in page.command_card.code.text
    page.image.set_text("/images/two words")
    qtbot.waitUntil(lambda: "'/images/two words'" in page.command_card.code.text)


def test_a_saved_script_does_what_the_page_does(window, qtbot, tmp_path, keys, monkeypatch):
    source = tiny_layout(tmp_path / "source")
    protected = run(answers(source, tmp_path / "out", keys)).written.path
    page = tool(window, "decrypt")
    page.command_card.toggle.click()
    saved = tmp_path / "decrypt.sh"
    for field, text in (
        (page.image, protected),
        (page.key, keys.private),
        (page.target, tmp_path / "opened"),
    ):
        field.set_text(str(text))
    page.command_card.save(str(saved))
    assert os.access(saved, os.X_OK)
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    program = bin_dir / "kataui"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m kataui "$@"\n')
    program.chmod(0o755)
    root = Path(__file__).resolve().parents[2]
    there = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}", "PYTHONPATH": str(root)}
    subprocess.run([str(saved)], check=True, env=there, cwd=tmp_path)
    assert judge(tmp_path / "opened", keys).images[0].layers[0].layer.encrypted is False
    page.command_card.save(str(saved))
    assert "exists" in page.command_card._told.text()


def test_no_script_of_a_form_that_lacks_something(window, qtbot):
    page = tool(window, "decrypt")
    page.command_card.toggle.click()
    page.command_card._choose()
    assert "missing" in page.command_card._told.text()
    assert page.image.problem


def test_the_key_shows_the_command_of_any_page(window, qtbot):
    window.go("computer")
    act = next(act for act in window.shortcuts() if act.title == "Show as command")
    act.run()
    (dialog,) = window.findChildren(CommandDialog)
    assert dialog.card.code.text == "kataui doctor"
    dialog.reject()
    window.go("settings")
    act.run()
    assert "no command" in window.messages.text


@pytest.mark.parametrize("name", ["gitlab-runner", "tekton-confidential", "namespace-baseline"])
def test_a_form_renders_the_same_files_as_its_command(tmp_path, name):
    template = catalogue.load(tmp_path).get(name)
    state = FormState(template, usual(template), DEFAULT)
    words = rendering(state, str(tmp_path / "out"))
    done = subprocess.run(
        [sys.executable, "-m", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stderr
    for file in state.view.rendered.files:
        assert (tmp_path / "out" / file.path).read_text() == file.text
