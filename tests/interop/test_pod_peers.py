"""A prepared pod with other people's tools: pushed, pulled under its policy, verified, opened."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kataui.images.model import OCI_LAYER_GZIP
from tests.images.protecting import blob
from tests.interop.registries import serve
from tests.interop.test_encryption_peers import provider
from tests.interop.test_signature_peers import tool
from tests.pods.parcels import NAMES, prepare_pod

pytestmark = pytest.mark.interop
_KATAUI = [sys.executable, "-m", "kataui"]


def _done(argv: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    done = tool(argv, **env)
    assert done.returncode == 0, done.stderr
    return done


def _push(skopeo: str, folder: Path) -> None:
    for path in (folder / "prepared" / "receipts").glob("*.json"):
        if "sigstore" not in path.name:
            for line in json.loads(path.read_text())["commands"]["push"]:
                words = line.split()[1:]
                _done([skopeo, "--insecure-policy", *words, "--dest-tls-verify=false"])


def _pull(skopeo: str, folder: Path, registry: str) -> list[str]:
    """How to pull under the policy that was prepared."""
    registries = folder / "registries.d"
    registries.mkdir()
    attachments = f"docker:\n  {registry}:\n    use-sigstore-attachments: true\n"
    (registries / "x.yaml").write_text(attachments)
    policy = str(folder / "prepared" / "policy.json")
    words = [skopeo, "--policy", policy, "--registries.d", str(registries)]
    return [*words, "copy", "--src-tls-verify=false"]


def test_a_prepared_pod_is_pulled_verified_and_opened_by_others(
    tmp_path: Path, keys, peer, shared
) -> None:
    skopeo = peer("skopeo122")
    with serve(peer("crane"), tmp_path / "registry") as registry:
        made = prepare_pod(tmp_path, keys, registry=registry)
        _push(skopeo, tmp_path)
        pull = _pull(skopeo, tmp_path, registry)
        public = str(tmp_path / "prepared" / "cosign.pub")
        flags = ["--insecure-ignore-tlog=true", "--allow-http-registry"]
        key = ["--remove-signatures", "--decryption-key", "provider:attestation-agent:local"]
        env = provider(tmp_path, shared, keys)
        for name, image in zip(NAMES, made.images, strict=True):
            _done([peer("cosign3"), "verify", "--key", public, *flags, image.pin])
            opened = tmp_path / f"opened-{name}"
            _done([*pull, *key, f"docker://{image.pin}", f"oci:{opened}:1"], **env)
            digest = json.loads((opened / "index.json").read_text())["manifests"][0]["digest"]
            (layer,) = json.loads(blob(opened, digest).read_text())["layers"]
            assert layer["mediaType"] == OCI_LAYER_GZIP


@pytest.mark.parametrize("name", ["team/other:1", "team/app:unsigned"])
def test_its_policy_refuses_what_was_not_prepared(tmp_path: Path, keys, peer, name: str) -> None:
    skopeo = peer("skopeo122")
    with serve(peer("crane"), tmp_path / "registry") as registry:
        prepare_pod(tmp_path, keys, registry=registry)
        push = [skopeo, "--insecure-policy", "copy", "--dest-tls-verify=false"]
        plain = f"oci:{tmp_path / 'images' / 'app_1'}:1"
        _done([*push, plain, f"docker://{registry}/{name}"])
        target = f"dir:{tmp_path / 'pulled'}"
        pulled = tool([*_pull(skopeo, tmp_path, registry), f"docker://{registry}/{name}", target])
        assert "policy" in pulled.stderr or "signature" in pulled.stderr
        assert pulled.returncode != 0
        pull = [skopeo, "--insecure-policy", "copy", "--src-tls-verify=false"]
        _done([*pull, f"docker://{registry}/{name}", target])  # it is there, for who asks nothing


def test_a_pod_is_audited_and_prepared_from_a_registry(tmp_path: Path, keys, peer) -> None:
    skopeo = peer("skopeo122")
    put = tmp_path / "bin"
    put.mkdir()
    (put / "skopeo").symlink_to(skopeo)
    path = f"{put}{os.pathsep}{os.environ['PATH']}"
    with serve(peer("crane"), tmp_path / "registry") as registry:
        prepare_pod(tmp_path, keys, registry=registry)
        _push(skopeo, tmp_path)
        prepared = tmp_path / "prepared"
        audit = ["pod", "audit", str(prepared / "manifest.yaml"), "--pull", "--json"]
        public = ["--public-key", str(prepared / "cosign.pub")]
        told = json.loads(tool([*_KATAUI, *audit, *public], PATH=path).stdout)
        covers = {(one["encrypted"], one["signed"]) for one in told["containers"]}
        assert covers == {("all", "valid")}
        plain = f"oci:{tmp_path / 'images' / 'app_1'}:1"
        push = [skopeo, "--insecure-policy", "copy", "--dest-tls-verify=false", plain]
        _done([*push, f"docker://{registry}/plain/app:1"])
        manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "again"}}
        manifest["spec"] = {"containers": [{"name": "a", "image": f"{registry}/plain/app:1"}]}
        (tmp_path / "again.json").write_text(json.dumps(manifest))
        words = ["pod", "prepare", str(tmp_path / "again.json"), "--pull", "--json"]
        words += ["--out", str(tmp_path / "again"), "--recipient", keys.broker]
        words += ["--sign-key", str(keys.sign_key), "--identity-prefix", f"{registry}/again"]
        made = json.loads(_done([*_KATAUI, *words], PATH=path).stdout)
        assert made["verdict"] == "pass"
        assert made["images"][0]["pin"].startswith(f"{registry}/again/app@sha256:")
        manifest["spec"]["containers"][0]["image"] = f"{registry}/plain/none:1"
        (tmp_path / "none.json").write_text(json.dumps(manifest))
        words[2], words[6] = str(tmp_path / "none.json"), str(tmp_path / "none")
        failed = tool([*_KATAUI, *words], PATH=path)
        assert failed.returncode == 2
        assert "was not fetched" in json.loads(failed.stdout)["error"]["message"]
        assert not (tmp_path / "none").exists()
