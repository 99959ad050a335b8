"""What people have is put on Kata, and nothing else in it changes."""

import stat
import subprocess
from pathlib import Path

import pytest

from kataui.errors import DestinationProblem, KatauiError
from kataui.findings import Severity
from kataui.kata.manifest import ManifestError, parse
from kataui.pipelines.adopt.changes import apply
from kataui.pipelines.adopt.plan import plan
from kataui.pipelines.adopt.save import diff, plan_file, save
from kataui.pipelines.adopt.wish import Wish
from kataui.pipelines.checks import Options, check_file

EXAMPLES = Path(__file__).parent / "adopt_examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if ".adopted" not in path.name)


def _adopted(name: str) -> bytes:
    path = EXAMPLES / name
    return path.with_suffix(f".adopted{path.suffix}").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_what_people_have_is_put_on_kata_and_the_rest_stays(name: str) -> None:
    made = plan(name, (EXAMPLES / name).read_bytes())

    assert apply(made).decode() == _adopted(name).decode()


@pytest.mark.parametrize("name", NAMES)
def test_adopting_twice_changes_nothing(name: str) -> None:
    again = plan(name, _adopted(name))

    assert [change.title for change in again.changes] == []
    assert apply(again) == again.data


@pytest.mark.parametrize("name", NAMES)
def test_each_change_can_be_taken_alone(name: str) -> None:
    made = plan(name, (EXAMPLES / name).read_bytes())

    for change in made.changes:
        alone = apply(made, frozenset({change.id}))
        assert alone != made.data, change.title
        left = {other.title for other in plan(name, alone).changes}
        assert change.title not in left or len(made.changes) > len(plan(name, alone).changes)
    assert apply(made, frozenset()) == made.data


def test_line_ends_and_marks_of_an_encoding_stay() -> None:
    text = (EXAMPLES / "woodpecker.yaml").read_text().replace("\n", "\r\n")
    windows = b"\xff\xfe" + text.encode("utf-16-le")

    adopted = apply(plan("x.yaml", windows))

    assert adopted.startswith(b"\xff\xfe")
    assert adopted[2:].decode("utf-16-le").replace("\r\n", "\n").encode() == _adopted(
        "woodpecker.yaml"
    )


def test_pods_of_the_host_stay_on_the_host() -> None:
    made = plan("deployment.yaml", (EXAMPLES / "deployment.yaml").read_bytes())

    [note] = [note for note in made.notes if note.id == "K-ADOPT-HOST"]
    assert note.subject == "agent"
    assert "uses the network of its node" in note.message


def test_jobs_of_a_runner_get_a_template_of_their_own() -> None:
    made = plan("values.yaml", (EXAMPLES / "arc-values.yaml").read_bytes(), Wish("kata-clh"))

    [extra] = made.extras
    [config_map] = parse(extra.text, extra.name)
    [inner] = parse(config_map.value["data"]["job.yaml"], "job.yaml")
    assert inner.value["spec"]["runtimeClassName"] == "kata-clh"


def test_patches_with_placeholders_are_left_to_the_person() -> None:
    text = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: a-}
spec:
  podSpecPatch: '{{workflow.parameters.patch}}'
  templates: []
"""

    made = plan("w.yaml", text.encode())

    assert made.changes == ()
    assert "K-ADOPT-PATCH" in {note.id for note in made.notes}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", "kind: Namespace\napiVersion: v1\n", "no pod and no pipeline"),
        ("a.toml", "[package]\n", r"no \[\[runners\]\]"),
        ("a.yaml", "a: b: c\n", "Line 1 is not YAML"),
        ("a.yaml", "", "no pod and no pipeline"),
    ],
)
def test_what_is_no_pipeline_is_told_in_a_sentence(name: str, text: str, said: str) -> None:
    with pytest.raises(KatauiError, match=said):
        plan(name, text.encode())


def test_a_saved_file_keeps_its_mode_and_leaves_a_backup(tmp_path: Path) -> None:
    path = tmp_path / "arc-values.yaml"
    path.write_bytes((EXAMPLES / path.name).read_bytes())
    path.chmod(0o640)
    made = plan_file(path, Wish())

    saved = save(made, path)

    assert path.read_bytes() == _adopted(path.name)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert saved.backup is not None
    assert saved.backup.read_bytes() == made.data
    assert [extra.name for extra in saved.extras] == ["kata-job-template.yaml"]
    assert save(plan_file(path, Wish()), path).backup is None


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "argo.yaml"
    path.write_bytes((EXAMPLES / path.name).read_bytes())
    made = plan_file(path, Wish())
    path.write_bytes(b"# newer\n" + made.data)

    with pytest.raises(DestinationProblem, match="changed by somebody else"):
        save(made, path)

    assert path.read_bytes() == b"# newer\n" + made.data
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", NAMES)
def test_the_diff_is_one_that_patch_takes(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes((EXAMPLES / name).read_bytes())

    done = subprocess.run(
        ["patch", "-p1"],
        input=diff(plan_file(path, Wish())).encode(),
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )

    assert (done.returncode, path.read_bytes()) == (0, _adopted(name)), done.stdout


def _errors(name: str, data: bytes) -> list[str]:
    found = check_file(name, data, Options())
    return [finding.message for finding in found if finding.severity is Severity.ERROR]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_adopted_is_valid(name: str) -> None:
    assert _errors(name, _adopted(name)) == []


def _corpus(shared: Path) -> list[tuple[str, bytes]]:
    found = []
    for folder in ("kata-pods", "istio-inject"):
        for path in sorted((shared / "corpora" / folder).rglob("*.y*ml*")):
            data = path.read_bytes()
            try:
                plan(path.name, data)
            except (KatauiError, ManifestError):
                continue
            found.append((path.name, data))
    return found


def test_real_files_are_adopted_once_and_only_where_it_is_needed(shared: Path) -> None:
    corpus = _corpus(shared)
    assert len(corpus) > 120
    untouched = 0
    for name, data in corpus:
        made = plan(name, data)
        adopted = apply(made)
        if not made.changes:
            assert adopted == data, name
            untouched += 1
            continue
        again = plan(name, adopted)
        assert again.changes == (), name
        assert len(parse(adopted, name)) == len(parse(data, name)), name
        assert "K-ADOPT-ALL" not in {note.id for note in made.notes}, name
        assert _errors(name, adopted) == _errors(name, data), name
    assert untouched > 20
