"""Export: nothing is lost, whatever is in the folder, and whoever changed it."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.errors import DestinationProblem
from kataui.pipelines import catalogue, export
from kataui.pipelines.export import State
from kataui.pipelines.exportwrite import ChangedMeanwhile, write
from kataui.pipelines.merge import merge
from kataui.pipelines.model import Value
from kataui.pipelines.render import render

TEMPLATE = catalogue.load(Path("/nonexistent")).get("kata-smoke-test")


def _plan(folder: Path, **values: Value) -> export.Plan:
    rendered = render(TEMPLATE, values, kubernetes="1.34")
    return export.plan(TEMPLATE, values, rendered, folder, kubernetes="1.34")


def _states(plan: export.Plan) -> dict[str, State]:
    return {file.path: file.state for file in plan.files}


def _backups(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if ".bak-" in path.name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(_plan(tmp_path / "out"))
    return tmp_path / "out"


def test_a_new_folder_gets_all_files_and_the_answers(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}

    assert names == {"job.yaml", "README.md", ".kataui-answers.yaml", ".kataui"}
    assert json.loads((folder / ".kataui" / "made").read_text())["files"]["job.yaml"]
    assert set(_states(_plan(folder)).values()) == {State.SAME}


def test_what_nobody_edited_is_replaced_with_a_backup(folder: Path) -> None:
    before = (folder / "job.yaml").read_bytes()

    write(_plan(folder, memoryLimit="1Gi"))

    assert b"1Gi" in (folder / "job.yaml").read_bytes()
    assert before in [path.read_bytes() for path in _backups(folder)]


def test_hand_edits_stay_when_other_lines_change(folder: Path) -> None:
    job = folder / "job.yaml"
    job.write_text(f"# ours\n{job.read_text()}".replace("backoffLimit: 0", "backoffLimit: 5"))

    plan = _plan(folder, memoryLimit="1Gi")
    write(plan)

    text = job.read_text()
    assert _states(plan)["job.yaml"] is State.MERGED
    assert text.startswith("# ours\n")
    assert "backoffLimit: 5" in text
    assert text.count("1Gi") == 2


def test_both_versions_stand_where_both_changed_a_line(folder: Path) -> None:
    job = folder / "job.yaml"
    job.write_text(job.read_text().replace("512Mi", "2Gi"))

    plan = _plan(folder, memoryLimit="1Gi")
    write(plan)

    assert [file.path for file in plan.conflicts] == ["job.yaml"]
    assert "2Gi" in job.read_text()
    assert "1Gi" in job.read_text()


def test_edited_files_are_left_alone_when_nothing_else_changed(folder: Path) -> None:
    job = folder / "job.yaml"
    job.write_text(job.read_text() + "# the end\n")

    plan = _plan(folder)

    assert _states(plan)["job.yaml"] is State.EDITED
    assert plan.changes == []


def test_what_somebody_removed_is_not_made_again_unless_it_changed(folder: Path) -> None:
    (folder / "job.yaml").unlink()

    assert _states(_plan(folder))["job.yaml"] is State.DELETED
    assert _states(_plan(folder, memoryLimit="1Gi"))["job.yaml"] is State.BACK


def test_what_kataui_did_not_make_is_kept_beside(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_bytes(b"\xff not ours")

    plan = _plan(tmp_path)
    write(plan)

    assert _states(plan)["job.yaml"] is State.REPLACED
    assert [path.read_bytes() for path in _backups(tmp_path)] == [b"\xff not ours"]


def test_a_file_that_changes_between_plan_and_writing_stops_everything(folder: Path) -> None:
    plan = _plan(folder, memoryLimit="1Gi")
    (folder / "README.md").write_text("newer")
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    with pytest.raises(ChangedMeanwhile, match="changed on disk meanwhile"):
        write(plan)

    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_place_where_nothing_can_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(DestinationProblem):
        write(_plan(tmp_path / "file" / "out"))


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "job.yaml").symlink_to(outside)

    with pytest.raises(DestinationProblem, match="leads out of the folder"):
        write(_plan(folder))

    assert outside.read_text() == "mine"
    assert [path.name for path in folder.iterdir()] == ["job.yaml"]


def test_the_patch_is_one_that_git_takes(folder: Path) -> None:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CEILING_DIRECTORIES": "/"}
    plan = _plan(folder, memoryLimit="1Gi")

    done = subprocess.run(
        ["git", "apply", "-"], input=plan.patch().encode(), cwd=folder, env=env, check=False,
        capture_output=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert b"1Gi" in (folder / "job.yaml").read_bytes()


_TEXTS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


@settings(max_examples=500, deadline=None)
@given(_TEXTS, _TEXTS, _TEXTS)
def test_a_merge_loses_no_line_of_either_side(base: str, mine: str, new: str) -> None:
    merged = merge(base, mine, new)

    for side, other in ((mine, new), (new, mine)):
        if side == base:
            assert merged.text == other
    if mine == new:
        assert (merged.text, merged.conflicts) == (mine, ())
    shown = merged.text.split("\n")
    for conflict in merged.conflicts:
        assert set("".join(conflict.mine).split()) <= set(shown)
        assert set("".join(conflict.new).split()) <= set(shown)


def test_windows_line_ends_of_a_person_stay() -> None:
    assert merge("a\nb\n", "a\r\nb\r\n", "a\nc\n").text == "a\r\nc\r\n"
