"""The lock and what differs from it: pushed in, missing, changed; the lock's own signature."""

import json
from pathlib import Path

import pytest

from kataui.errors import KatauiError
from kataui.findings import Finding, Severity, Verdict
from kataui.pods.compare import Compared, compare
from kataui.pods.lock import check_signature, make_lock, read_lock
from kataui.pods.read import pods_of, read_file
from tests.pods.pods import DIGEST, manifest, pods, with_initdata

_SIGNED = Finding("LOCK-SIGNATURE", Severity.INFO, "Lock", "Signed.")


@pytest.fixture
def held(tmp_path: Path):
    """Hold a manifest against the lock of another one."""

    def run(before: str, after: str) -> Compared:
        path = tmp_path / "podlock.json"
        path.write_bytes(make_lock(pods(before)))
        return compare(read_lock(path), pods(after), _SIGNED)

    return run


def _pod(**container: object) -> str:
    value = json.loads(manifest())
    value["spec"]["containers"][0] |= container
    return json.dumps(value)


def test_the_same_manifest_passes(held) -> None:
    assert held(manifest(), manifest()).verdict is Verdict.PASS


def test_a_pushed_in_sidecar_stands_out(held) -> None:
    found = held(manifest(), manifest(initContainers=[{"name": "spy", "image": "x"}]))
    assert found.verdict is Verdict.FAIL
    assert found.added == ({"pod": "Pod web", "name": "spy", "kind": "init", "image": "x"},)
    assert any("spy was pushed in" in one.message for one in found.findings)
    assert not found.removed
    assert not found.changed


def test_a_missing_container_is_told(held) -> None:
    found = held(manifest(images=["a", "b"]), manifest(images=["a"]))
    assert [one["name"] for one in found.removed] == ["c1"]


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"image": "registry.example/team/app@sha256:" + "cd" * 32}, "image"),
        ({"args": ["--debug"]}, "arguments"),
        ({"command": ["sh"]}, "command"),
        ({"workingDir": "/tmp"}, "working_dir"),
        ({"env": [{"name": "A", "value": "1"}]}, "env A"),
        ({"volumeMounts": [{"name": "v", "mountPath": "/data"}]}, "mount"),
        ({"securityContext": {"privileged": True}}, "settings"),
    ],
)
def test_each_change_is_told(held, changed: dict[str, object], what: str) -> None:
    found = held(_pod(), _pod(**changed))
    assert [one["what"] for one in found.changed] == [what]
    assert found.verdict is Verdict.FAIL


def test_another_class_and_other_initdata_are_told(held) -> None:
    after = manifest(runtime_class="kata-qemu", annotations=with_initdata("package agent_policy\n"))
    found = held(manifest(), after)
    assert {one["what"] for one in found.changed} == {"runtime_class", "initdata"}


def test_values_of_variables_are_not_in_the_lock() -> None:
    data = make_lock(pods(_pod(env=[{"name": "PASSWORD", "value": "hunter2"}])))
    assert b"PASSWORD" in data
    assert b"hunter2" not in data


def test_what_a_cluster_fills_in_is_no_difference(held) -> None:
    before = _pod(ports=[{"containerPort": 80}], volumeMounts=[])
    value = json.loads(before)
    value["spec"]["containers"][0] |= {
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
        "terminationMessagePath": "/dev/termination-log",
        "imagePullPolicy": "IfNotPresent",
        "volumeMounts": [
            {
                "name": "kube-api-access-x7k2p",
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                "readOnly": True,
            }
        ],
    }
    value["status"] = {
        "containerStatuses": [{"name": "c0", "imageID": f"registry.example/team/app@{DIGEST}"}]
    }
    assert held(before, json.dumps(value)).verdict is Verdict.PASS


def test_a_pod_of_a_deployment_is_held_against_it(held) -> None:
    template = json.loads(manifest())
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"template": {"metadata": {}, "spec": template["spec"]}},
    }
    template["metadata"] = {"name": "web-5f7c-abcde"}
    assert held(json.dumps(deployment), json.dumps(template)).verdict is Verdict.PASS


def test_without_a_digest_only_names_are_compared(held) -> None:
    found = held(manifest(images=["a:1"]), manifest(images=["a:1"]))
    assert found.verdict is Verdict.PASS
    assert any(one.id == "LOCK-DIGEST" for one in found.findings)


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[]",
        b'{"kataui_podlock": 2, "pods": []}',
        b'{"kataui_podlock": 1, "pods": []}',
        b'{"kataui_podlock": 1, "pods": [{"containers": [{"name": 1}]}]}',
        b"\x00",
    ],
)
def test_a_damaged_lock_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "podlock.json"
    path.write_bytes(data)
    with pytest.raises(KatauiError):
        read_lock(path)


def test_without_a_public_key_the_signature_is_not_checked(tmp_path: Path) -> None:
    path = tmp_path / "podlock.json"
    path.write_bytes(make_lock(pods(manifest())))
    lock = read_lock(path)
    found = compare(lock, pods(manifest()), check_signature(lock, path, ()))
    assert found.verdict is Verdict.UNKNOWN


# The injected file of each pair has these on top; the others get istio-init and istio-proxy.
_ADDED = {
    "custom-template": [],
    "gateway-spire": [],
    "hello-host-network": [],
    "hello-ignore": [],
    "proxy-override": [],
    "multiple-templates": ["istio-init"],
    "grpc-agent": ["istio-proxy"],
    "init-no-intercept-no-native-sidecar": ["istio-proxy"],
    "hello-existing-cncf-networks-json": ["istio-validation", "istio-proxy"],
    "hello-openshift-tproxy": ["istio-validation", "istio-proxy"],
    "hello-openshift": ["istio-validation", "istio-proxy"],
    "hello-multi": ["istio-init", "istio-proxy", "istio-init", "istio-proxy"],
}
# In these the webhook also changed what the manifest had itself.
_CHANGED = {"custom-template", "gateway-spire", "grpc-agent", "multiple-templates"}
_CHANGED |= {"proxy-override", "hello-probes"}


def test_every_injected_sidecar_is_told(shared, tmp_path: Path) -> None:
    pairs = 0
    for path in sorted((shared / "corpora" / "istio-inject").glob("*.yaml")):
        injected = path.with_name(f"{path.name}.injected")
        if not injected.exists():
            continue
        pairs += 1
        lock = tmp_path / "podlock.json"
        lock.write_bytes(make_lock(pods_of(read_file(path))))
        found = compare(read_lock(lock), pods_of(read_file(injected)), _SIGNED)
        wanted = _ADDED.get(path.stem, ["istio-init", "istio-proxy"])
        assert [one["name"] for one in found.added] == wanted, path.name
        assert not found.removed, path.name
        assert bool(found.changed) == (path.stem in _CHANGED), path.name
    assert pairs > 45
