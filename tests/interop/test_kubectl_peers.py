"""kubectl against a small API server on loopback: dry run, differences, applying, CRDs."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kataui import cli
from kataui.errors import KatauiError
from kataui.findings import Severity
from kataui.kata.manifest import parse
from kataui.pipelines import cluster, crds
from kataui.progress import Control
from tests.interop.apiserver import ApiServer

CLASSES = {"kata-qemu-runtime-rs": "kata-qemu-runtime-rs", "gvisor": "runsc"}
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: ci}\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm, namespace: default}\ndata: {a: b}\n"
INSIDE = MAP.replace("default", "ci")
JOB = """\
apiVersion: v1
kind: Pod
metadata: {generateName: job-, namespace: default}
spec: {runtimeClassName: CLASS, containers: [{name: x, image: y}]}
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tests.example.org}
spec:
  group: example.org
  names: {kind: Test, plural: tests}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object}}}}
"""


@contextlib.contextmanager
def use_server(
    peer: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ApiServer]:
    """A server, and kubectl with the context ``lab`` that leads to it."""
    kubectl = Path(peer("kubectl"))
    monkeypatch.setenv("PATH", f"{kubectl.parent}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    server = ApiServer(CLASSES)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server.url}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "lab", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "lab",
    }
    (tmp_path / "config").write_text(json.dumps(config))
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def server(
    peer: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ApiServer]:
    with use_server(peer, tmp_path, monkeypatch) as made:
        yield made


def tried(*texts: str) -> list[cluster.Tried]:
    return cluster.try_out(items(*texts), "lab", Control())


def items(*texts: str) -> tuple[cluster.Item, ...]:
    return cluster.items(parse("---\n".join(texts), "m.yaml"))


def test_the_context_the_version_and_the_classes_are_told(server: ApiServer) -> None:
    assert cluster.contexts() == ("lab", ("lab",))
    found = cluster.look("lab", Control())

    assert (found.version, set(found.classes)) == ("v1.34.1", set(CLASSES.items()))
    assert found.kata_classes == ("kata-qemu-runtime-rs",)


def test_a_dry_run_changes_nothing_and_tells_new_changed_and_same(server: ApiServer) -> None:
    cluster.apply(items(MAP), "lab", Control())
    server.written.clear()
    job = JOB.replace("CLASS", "kata-qemu-runtime-rs")

    found = tried(NAMESPACE, MAP, MAP.replace("a: b", "a: c"), job)

    assert [cluster.word_of(one) for one in found] == ["new", "same", "changed", "made anew"]
    assert "-  a: b\n+  a: c" in found[2].difference
    assert "/tmp" not in found[2].difference
    assert server.written == []


def test_what_is_applied_is_there_and_what_is_created_has_a_name(server: ApiServer) -> None:
    said = cluster.apply(items(NAMESPACE, INSIDE, JOB), "lab", Control())

    assert said[0] == "namespace/ci serverside-applied"
    assert server.written == [
        "/api/v1/namespaces/ci",
        "/api/v1/namespaces/ci/configmaps/cm",
        "/api/v1/namespaces/default/pods/job-x7k2p",
    ]
    assert server.objects["/api/v1/namespaces/ci/configmaps/cm"]["data"] == {"a": "b"}


def test_the_first_refusal_ends_it_and_says_what_stays(server: ApiServer) -> None:
    with pytest.raises(KatauiError, match=r"^Pod job- was refused: spec.containers") as told:
        cluster.apply(items(MAP, JOB.replace(", image: y", ""), INSIDE), "lab", Control())

    assert told.value.hint == "Before it, 1 of 3 were applied: they stay."
    assert server.written == ["/api/v1/namespaces/default/configmaps/cm"]


def test_findings_tell_refusals_lacking_classes_and_what_could_not_be_tried(
    server: ApiServer,
) -> None:
    answers = tried(
        NAMESPACE,
        INSIDE,
        JOB.replace("CLASS", "kata-fc"),
        JOB.replace(", image: y", "").replace("CLASS", "gvisor"),
        "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\n",
    )
    found = cluster.findings(cluster.look("lab", Control()), answers, checked_for="1.35")

    assert [(f.id, f.severity, f.checked) for f in found] == [
        ("K-DRYRUN", Severity.INFO, False),
        ("K-DRYRUN", Severity.ERROR, True),
        ("K-DRYRUN", Severity.ERROR, True),
        ("K-CLUSTER-CLASS", Severity.ERROR, True),
        ("K-CLUSTER-VERSION", Severity.INFO, True),
    ]
    assert found[0].message.endswith("its namespace ci comes with it and is not there yet.")
    assert found[1].message == (
        "The API server refuses it: spec.containers[0].image: Required value"
    )
    assert found[2].message == "The cluster has no Task of tekton.dev/v1."
    assert found[3].fix == "It has gvisor, kata-qemu-runtime-rs."


def test_a_class_that_comes_with_it_is_not_lacking(server: ApiServer) -> None:
    own = "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: kata-fc}\nhandler: k\n"
    answers = tried(own, JOB.replace("CLASS", "kata-fc"))

    assert cluster.findings(cluster.look("lab", Control()), answers, checked_for="1.34") == []


def test_crds_of_a_cluster_are_schemas_here(server: ApiServer) -> None:
    cluster.apply(items(CRD), "lab", Control())

    made = crds.from_text(cluster.fetch_crds("lab", Control()), "crds.yaml")
    assert made.kinds() == ["example.org/v1 Test"]


def test_a_cluster_that_does_not_answer_is_one_sentence(
    server: ApiServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    server.close()
    (tmp_path / "m.yaml").write_text(MAP)

    status = cli.main(["pipeline", "check", str(tmp_path / "m.yaml"), "--context", "lab", "--json"])

    told = json.loads(capsys.readouterr().out)["error"]
    assert status == 2
    assert told["message"].startswith("The cluster does not answer: ")
    assert "refused" in told["message"]


def test_check_with_a_context_adds_what_the_cluster_says(
    server: ApiServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "m.yaml").write_text(JOB.replace("CLASS", "kata-fc"))

    status = cli.main(["pipeline", "check", str(tmp_path), "--context", "lab", "--json"])

    found = json.loads(capsys.readouterr().out)["findings"]
    [lacking] = [one for one in found if one["id"] == "K-CLUSTER-CLASS"]
    assert status == 1
    assert lacking["location"]["line"] == 4


def test_render_and_apply_asks_unless_told_yes(
    server: ApiServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    argv = ["pipeline", "render", "kata-smoke-test", "--set", "namespace=default"]
    argv += ["--out", str(tmp_path / "out"), "--apply", "--json"]

    status = cli.main(argv)
    assert json.loads(capsys.readouterr().out)["error"]["message"].endswith("no terminal to ask.")
    assert status == 3
    assert server.written == []
    assert cli.main([*argv, "--yes"]) == 0
    assert json.loads(capsys.readouterr().out)["applied"]
    assert server.written
