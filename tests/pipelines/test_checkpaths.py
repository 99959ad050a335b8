"""Checks of folders: everything that is there is looked at once, and nothing stops the rest."""

import os
from pathlib import Path

import pytest

from kataui.errors import Cancelled, KatauiError
from kataui.findings import Finding, Severity
from kataui.kata.manifest import MAX_BYTES
from kataui.pipelines.checkpaths import Report, check_paths
from kataui.pipelines.checks import Options
from kataui.progress import Control, Progress

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
WRONG = f"{MAP}dat: {{}}\n"
OPTIONS = Options("1.34")


def _check(*paths: Path, **given: bytes) -> Report:
    return check_paths(paths, OPTIONS, Control(), given=given)


def _of(report: Report, name: str) -> Finding:
    [found] = [f for f in report.findings if f.location and Path(f.location.file).name == name]
    return found


def test_a_folder_is_checked_whole_and_the_findings_name_the_files(tmp_path: Path) -> None:
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "a.yaml").write_text(f"{MAP}---\n{WRONG}")
    (tmp_path / "sub" / "b.yml").write_text(MAP)
    (tmp_path / "sub" / "deep" / "C.YAML").write_text(WRONG)

    report = _check(tmp_path)

    assert (report.files, report.documents, report.unchecked) == (3, 4, 0)
    assert {
        (Path(f.location.file).name, f.location.line) for f in report.findings if f.location
    } == {
        ("a.yaml", 8),
        ("C.YAML", 4),
    }


def test_only_json_and_toml_that_look_like_ours_are_read(tmp_path: Path) -> None:
    (tmp_path / "pod.json").write_text('{"apiVersion": "v1", "kind": "Pod", "x": 1}')
    (tmp_path / "package.json").write_text('{"name": 1}')
    (tmp_path / "config.toml").write_text("[[runners]]\nname = 'a'\n")
    (tmp_path / "pyproject.toml").write_text("[tool]\n")
    (tmp_path / "notes.txt").write_text("a: [")

    report = _check(tmp_path)

    assert report.files == 2
    assert _of(report, "config.toml").id == "K-NOSCHEMA"
    assert _of(report, "pod.json").id == "K-SCHEMA"


def test_what_others_and_kataui_keep_for_themselves_is_left_out(tmp_path: Path) -> None:
    for folder in (".git", ".kataui", "node_modules"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.yaml").write_text("a: [")
    (tmp_path / ".kataui-answers.yaml").write_text("a: [")
    (tmp_path / "a.yaml").write_text(MAP)

    assert (_check(tmp_path).files, _check(tmp_path).findings) == (1, ())


def test_links_in_a_circle_end_and_a_broken_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MAP)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "broken.yaml").symlink_to(tmp_path / "absent")
    (tmp_path / "self.yaml").symlink_to(tmp_path / "self.yaml")

    report = _check(tmp_path)

    assert report.files == 3
    assert "No such file" in _of(report, "broken.yaml").message
    assert _of(report, "self.yaml").severity is Severity.ERROR


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "a.yaml").write_text(MAP)

    assert _check(tmp_path).files == 1
    with pytest.raises(KatauiError, match="neither a file nor a folder"):
        _check(tmp_path / "pipe.yaml")


def test_a_file_that_is_too_large_is_told_without_being_read(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    with large.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)  # takes no room on disk
    (tmp_path / "a.yaml").write_text(WRONG)

    report = _check(tmp_path)

    assert "larger than" in _of(report, "large.yaml").message
    assert _of(report, "a.yaml").id == "K-SCHEMA"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_the_right_to_read_is_told(tmp_path: Path) -> None:
    closed = tmp_path / "closed.yaml"
    closed.write_text(MAP)
    closed.chmod(0)

    assert "Permission denied" in _of(_check(tmp_path), "closed.yaml").message


def test_one_broken_file_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "c.yaml").write_text(WRONG)
    (tmp_path / "d.yaml").write_text("")

    report = _check(tmp_path)

    assert (report.files, report.documents) == (4, 1)
    assert [f.id for f in report.findings].count("K-YAML") == 2
    assert _of(report, "c.yaml").id == "K-SCHEMA"


def test_a_file_that_is_named_twice_is_checked_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(WRONG)

    assert len(_check(tmp_path, tmp_path / "a.yaml", tmp_path).findings) == 1


def test_a_named_file_is_checked_whatever_its_ending(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(WRONG)

    assert _of(_check(tmp_path / "a.txt"), "a.txt").id == "K-SCHEMA"


def test_errors_come_first(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: b\n")
    (tmp_path / "b.yaml").write_text(WRONG)

    assert [f.severity for f in _check(tmp_path).findings] == [Severity.ERROR, Severity.INFO]


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_nothing_to_check_is_no_pass(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(KatauiError):
        _check(tmp_path / name)


def test_a_text_that_is_in_no_file_is_checked_under_its_name() -> None:
    report = _check(stdin=WRONG.encode())

    assert (report.files, report.documents) == (1, 1)
    assert _of(report, "stdin").location.line == 4


def test_rules_see_all_files_of_a_folder_together(tmp_path: Path) -> None:
    """Woodpecker's agent drops what it is not told to allow: that stands in another file."""
    (tmp_path / "a.yaml").write_text(MAP)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.yaml").write_text(MAP.replace("name: a", "name: b"))

    assert _check(tmp_path).documents == 2


def test_progress_grows_to_the_end(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number:02}.yaml").write_text(MAP)
    seen: list[Progress] = []

    check_paths([tmp_path], OPTIONS, Control(seen.append))

    done = [progress.done_bytes for progress in seen]
    assert done == sorted(done)
    assert done[-1] == seen[-1].total_bytes == 20 * len(MAP)


def test_cancel_stops_between_two_files(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number:02}.yaml").write_text(MAP)
    steps: list[str] = []

    def see(progress: Progress) -> None:
        steps.append(progress.step)
        control.cancel()

    control = Control(see)
    with pytest.raises(Cancelled):
        check_paths([tmp_path], OPTIONS, control)

    assert len(steps) < 3
