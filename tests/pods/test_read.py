"""Pods out of manifests and dumps: kinds of containers, digests, webhooks, other people's files."""

import json

import pytest

from kataui.errors import KatauiError
from kataui.kata.manifest import parse
from kataui.pods import read
from kataui.pods.model import Kind, repository_of, tag_of
from kataui.pods.read import pods_of, read_file
from tests.pods.pods import DIGEST, manifest, pods


def test_every_kind_of_container_is_told() -> None:
    text = manifest(
        initContainers=[
            {"name": "first", "image": "a"},
            {"name": "beside", "image": "b", "restartPolicy": "Always"},
        ],
        ephemeralContainers=[{"name": "debug", "image": "c"}],
    )
    (pod,) = pods(text)
    assert [(one.name, one.kind) for one in pod.containers] == [
        ("first", Kind.INIT),
        ("beside", Kind.SIDECAR),
        ("c0", Kind.MAIN),
        ("debug", Kind.EPHEMERAL),
    ]


@pytest.mark.parametrize(
    ("image", "repository", "tag"),
    [
        ("nginx", "docker.io/library/nginx", "latest"),
        ("nginx:1.25", "docker.io/library/nginx", "1.25"),
        ("team/app", "docker.io/team/app", "latest"),
        ("localhost/app:1", "localhost/app", "1"),
        ("localhost:5000/app", "localhost:5000/app", "latest"),
        (f"registry.example/a/b:1@{DIGEST}", "registry.example/a/b", "1"),
        (f"registry.example/a/b@{DIGEST}", "registry.example/a/b", ""),
    ],
)
def test_references(image: str, repository: str, tag: str) -> None:
    assert (repository_of(image), tag_of(image)) == (repository, tag)


def test_a_dump_tells_the_digest_that_runs() -> None:
    value = json.loads(manifest(images=["app:1"]))
    value["status"] = {
        "containerStatuses": [{"name": "c0", "imageID": f"docker.io/library/app@{DIGEST}"}]
    }
    (pod,) = pods(json.dumps(value))
    assert not pod.containers[0].pinned
    assert pod.containers[0].digest == DIGEST


@pytest.mark.parametrize(
    ("labels", "annotations", "wanted"),
    [
        ({}, {}, ()),
        ({"sidecar.istio.io/inject": "true"}, {}, ("Istio",)),
        ({"istio.io/rev": "stable"}, {}, ("Istio",)),
        ({"istio.io/rev": "stable", "sidecar.istio.io/inject": "false"}, {}, ()),
        ({}, {"linkerd.io/inject": "enabled"}, ("Linkerd",)),
        ({}, {"linkerd.io/inject": "disabled"}, ()),
    ],
)
def test_webhooks_that_will_add_containers(
    labels: dict[str, str], annotations: dict[str, str], wanted: tuple[str, ...]
) -> None:
    value = json.loads(manifest())
    value["metadata"] |= {"labels": labels, "annotations": annotations}
    (pod,) = pods(json.dumps(value))
    assert pod.injectors == wanted


def test_a_namespace_asks_for_its_pods() -> None:
    namespace = (
        "apiVersion: v1\nkind: Namespace\n"
        "metadata: {name: shop, labels: {istio-injection: enabled}}\n---\n"
    )
    value = json.loads(manifest())
    value["metadata"]["namespace"] = "shop"
    (pod,) = pods_of(parse(namespace + json.dumps(value), "both.yaml"))
    assert pod.injectors == ("Istio",)


def test_too_many_containers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MOST_CONTAINERS", 3)
    with pytest.raises(KatauiError, match="more than 3 containers"):
        pods(manifest(images=["a"] * 4))


@pytest.mark.parametrize(
    ("folder", "containers"), [("kata-pods", 92), ("genpolicy", 23), ("istio-inject", 258)]
)
def test_other_peoples_manifests_are_read(shared, folder: str, containers: int) -> None:
    paths = sorted((shared / "corpora" / folder).rglob("*.y*ml*"))
    found = [pod for path in paths for pod in pods_of(read_file(path))]
    assert sum(len(pod.containers) for pod in found) == containers
