"""Exports, files that are put on Kata, CRDs and clusters, from the window."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication

from kataui.pipelines import crds
from kataui.ui.app import drop_words
from kataui.ui.pipelines.pipelinepage import PipelinePage
from kataui.ui.widgets.confirm import Confirm
from tests.interop.apiserver import ApiServer
from tests.interop.test_kubectl_peers import CRD, use_server
from tests.ui.pipelinehelp import PATIENCE_MS, inside, open_file, open_form, type_into

POD = """\
apiVersion: v1   # the agent
kind: Pod
metadata:
  name: agent
spec:
  containers:
    - name: agent
      image: registry.example.org/agent:1.0
      resources:
        limits:
          cpu: "2"
"""


def export(window, qtbot, folder: Path) -> PipelinePage:
    """The export page of a filled GitLab runner, its plan made."""
    page = open_form(window, qtbot, "gitlab-runner", filled=True)
    page.form.export()
    page.exporting.folder.set_text(str(folder))
    planned(qtbot, page)
    return page


def planned(qtbot, page: PipelinePage) -> None:
    """Wait until the page has looked at the folder."""
    said = page.exporting._sentence
    qtbot.waitUntil(
        lambda: said.text() not in {"Looking…", "Choose a folder."}, timeout=PATIENCE_MS
    )


def write(qtbot, page: PipelinePage) -> str:
    """Press Write; gives what the banner says."""
    page.exporting._write.click()
    banner = page.exporting.banner
    qtbot.waitUntil(banner.isVisible, timeout=PATIENCE_MS)
    return banner.accessibleName()


def test_export_writes_what_it_showed_and_again_nothing_is_left_to_do(
    window, qtbot, tmp_path: Path
) -> None:
    page = export(window, qtbot, tmp_path / "out")
    names = [file.path for file in page.exporting.plan.files]
    assert not (tmp_path / "out").exists()

    assert write(qtbot, page).startswith("Done. ")
    assert sorted(names) == sorted(
        str(path.relative_to(tmp_path / "out"))
        for path in (tmp_path / "out").rglob("*")
        if path.is_file() and ".kataui" not in path.parts
    )
    text = (tmp_path / "out" / "values.yaml").read_text()
    assert text == page.state.view.rendered.file("values.yaml").text
    planned(qtbot, page)
    assert page.exporting._write.toolTip() == "The folder has all of it already."


def test_a_hand_edit_is_kept_and_what_is_overwritten_has_a_backup(
    window, qtbot, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    page = export(window, qtbot, out)
    write(qtbot, page)
    values = out / "values.yaml"
    values.write_text(values.read_text() + "# mine\n")
    page.back()
    type_into(qtbot, page, "gitlabUrl", "https://git.example.org")
    page.form.export()
    planned(qtbot, page)

    assert page.exporting.folder.text == str(out)  # where it was written before
    assert write(qtbot, page).startswith("Done. 2 files")  # the answers, too
    assert values.read_text().startswith("gitlabUrl: https://git.example.org\n")
    assert values.read_text().endswith("# mine\n")
    kept = [path for path in out.rglob("*") if path.is_file() and "values.yaml" in path.name]
    assert len(kept) == 2


def test_a_patch_can_be_copied_and_saved(window, qtbot, tmp_path: Path) -> None:
    page = export(window, qtbot, tmp_path / "out")
    page.exporting.copy_patch()
    patch = QGuiApplication.clipboard().text()
    page.exporting.save_patch(str(tmp_path / "mine"))
    qtbot.waitUntil(page.exporting.banner.isVisible, timeout=PATIENCE_MS)

    assert "diff --git a/values.yaml b/values.yaml\nnew file mode 100644\n" in patch
    assert (tmp_path / "mine.patch").read_text() == patch
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_lost(
    window, qtbot, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("a file")
    page = open_form(window, qtbot, "gitlab-runner", filled=True)
    page.form.export()
    page.exporting.folder.set_text(str(tmp_path / "out"))
    planned(qtbot, page)

    assert page.exporting.folder.problem
    assert not page.exporting._write.isEnabled()
    assert (tmp_path / "out").read_text() == "a file"
    page.back()
    assert page.currentWidget() is page.form


def test_a_file_is_put_on_kata_one_change_at_a_time(window, qtbot, tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(POD)
    page = open_file(window, qtbot, file, adopt=True)
    qtbot.waitUntil(lambda: page.adopting is not None, timeout=PATIENCE_MS)
    adopting = page.adopting
    qtbot.waitUntil(lambda: bool(adopting.chosen), timeout=PATIENCE_MS)
    assert len(adopting.lines) >= 2

    adopting._none.click()
    qtbot.waitUntil(lambda: not adopting._save.isEnabled(), timeout=PATIENCE_MS)
    adopting._all.click()
    qtbot.waitUntil(adopting._save.isEnabled, timeout=PATIENCE_MS)
    adopting.ask_save()
    [dialog] = window.findChildren(Confirm)
    dialog.accept()
    qtbot.waitUntil(lambda: page.adopting is None, timeout=PATIENCE_MS)

    text = file.read_text()
    assert text.startswith("apiVersion: v1   # the agent\n")
    assert "runtimeClassName: kata-qemu-runtime-rs" in text
    assert "memory:" in text
    [backup] = tmp_path.glob("pod.yaml.bak*")
    assert backup.read_text() == POD


def test_the_way_to_kata_is_shown_once_the_file_is_read(window, qtbot, tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(POD)
    inside(window).open_paths([str(file)])
    page = window.page(window.current_key)
    assert page.looked is None

    inside(window).adopt(str(file))

    assert window.page(window.current_key) is page
    qtbot.waitUntil(lambda: page.adopting is not None, timeout=PATIENCE_MS)


def test_a_file_that_changed_meanwhile_is_not_overwritten(window, qtbot, tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(POD)
    page = open_file(window, qtbot, file, adopt=True)
    qtbot.waitUntil(lambda: page.adopting is not None, timeout=PATIENCE_MS)
    qtbot.waitUntil(page.adopting._save.isEnabled, timeout=PATIENCE_MS)
    file.write_text(POD + "# somebody else\n")
    said: list[str] = []
    page.adopting.problem = lambda message, hint: said.append(f"{message} {hint}")
    page.adopting.save()
    qtbot.waitUntil(lambda: bool(said), timeout=PATIENCE_MS)

    assert "changed" in said[0]
    assert file.read_text() == POD + "# somebody else\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a: [\n", "line 2 is not yaml"),
        (b"\xff\xfe\x00\x00", "text"),
        (b"a: &a [*a]\n", ""),
        (b"a: 1\na: 2\n", "the second time"),
        (b"a:\n\tb: 1\n", "tab"),
        (b"", ""),
        (b"kind: Pod\r\napiVersion: v1\r\n", ""),
    ],
)
def test_broken_files_are_one_sentence_and_the_window_lives(
    window, qtbot, tmp_path: Path, data: bytes, words: str
) -> None:
    (tmp_path / "x.yaml").write_bytes(data)
    page = open_file(window, qtbot, tmp_path / "x.yaml")

    told = page.look.banner.accessibleName()
    assert words in told.lower()
    assert "Traceback" not in told


def test_crds_of_a_file_are_known_to_all_checks_from_then_on(window, qtbot, tmp_path: Path) -> None:
    (tmp_path / "crd.yaml").write_text(CRD)
    (tmp_path / "test.yaml").write_text(
        "apiVersion: example.org/v1\nkind: Test\nmetadata: {name: a}\nspek: {}\n"
    )
    assert open_file(window, qtbot, tmp_path / "test.yaml").look._shown[0].id == "K-NOSCHEMA"
    page = open_file(window, qtbot, tmp_path / "crd.yaml")
    assert page.look.know_button.isVisible()
    page.look.know_button.click()
    qtbot.waitUntil(lambda: bool(crds.kept()), timeout=PATIENCE_MS)

    again = window.page(next(k for k, v in inside(window)._files.items() if "test.yaml" in v))
    again.check()
    qtbot.waitUntil(lambda: again.look._shown[0].id == "K-SCHEMA", timeout=PATIENCE_MS)
    assert again.look._shown[0].fix == "Did you mean spec?"


def test_what_a_drop_does_is_said_and_done(window, qtbot, tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    page = export(window, qtbot, tmp_path / "out")
    write(qtbot, page)

    (tmp_path / "task.yaml").write_text("apiVersion: tekton.dev/v1\nkind: Task\n")
    assert drop_words([str(tmp_path / "task.yaml")]) == "Check, and put on Kata"
    assert drop_words([str(tmp_path / "pod.yaml")]) == "See what the pod runs"
    window.open_paths([str(tmp_path / "pod.yaml")])
    assert window.page(window.current_key).accessibleName() == "pod.yaml"
    window.open_paths([str(tmp_path / "out")])
    again = window.page(window.current_key)
    assert isinstance(again, PipelinePage)
    assert again.state.values == page.state.values
    assert again.draft.folder == str(tmp_path / "out")


@pytest.fixture
def server(peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    with use_server(peer, tmp_path, monkeypatch) as made:
        yield made


def test_a_cluster_is_asked_and_applied_to_only_after_a_yes(
    window, qtbot, tmp_path: Path, server: ApiServer
) -> None:
    page = open_form(window, qtbot, "kata-smoke-test", filled=True)
    type_into(qtbot, page, "namespace", "default")
    page.form.export()
    card = page.exporting.apply
    qtbot.waitUntil(lambda: hasattr(card, "ask_button"), timeout=PATIENCE_MS)
    assert card.context.value == "lab"
    assert card.apply_button.toolTip() == "Ask the cluster first."
    assert window.status_line.network == "No network used since start"

    card.ask_button.click()
    qtbot.waitUntil(lambda: card.answer is not None, timeout=PATIENCE_MS)
    assert window.status_line.network == "Network: kubectl, lab"
    assert server.written == []
    card.apply_button.click()
    [dialog] = window.findChildren(Confirm)
    dialog.accept()
    qtbot.waitUntil(lambda: bool(server.written), timeout=PATIENCE_MS)
    qtbot.waitUntil(card.ask_button.isEnabled, timeout=PATIENCE_MS)
    assert card.answer is None


def test_without_kubectl_the_commands_are_there(
    window, qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    page = export(window, qtbot, tmp_path / "out")

    assert not hasattr(page.exporting.apply, "ask_button")
    assert os.environ["PATH"] == str(tmp_path)
