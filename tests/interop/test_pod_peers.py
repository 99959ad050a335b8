"""A prepared pod with other people's tools: pushed, pulled under its policy, verified, opened."""

import json
import subprocess
from pathlib import Path

import pytest

from kataui.images.model import OCI_LAYER_GZIP
from kataui.pods.prepare import PrepareAnswers, prepare
from kataui.progress import Control
from tests.images.builders import tar_bytes, tiny_layout
from tests.images.protecting import blob
from tests.interop.registries import serve
from tests.interop.test_encryption_peers import provider
from tests.interop.test_signature_peers import tool
from tests.pods.pods import manifest

pytestmark = pytest.mark.interop


def _done(argv: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    done = tool(argv, **env)
    assert done.returncode == 0, done.stderr
    return done


def test_a_prepared_pod_is_pulled_verified_and_opened_by_others(
    tmp_path: Path, keys, peer, shared
) -> None:
    names = ["app", "sidecar"]
    for name in names:
        layers = [tar_bytes({name: name.encode() * 100})]
        tiny_layout(tmp_path / "images" / f"{name}_1", layers=layers)
    (tmp_path / "pod.yaml").write_text(manifest(images=[f"{name}:1" for name in names]))
    skopeo = peer("skopeo122")
    with serve(peer("crane"), tmp_path / "registry") as registry:
        made = prepare(
            PrepareAnswers(
                file=str(tmp_path / "pod.yaml"),
                images=str(tmp_path / "images"),
                out=str(tmp_path / "out"),
                recipients=(keys.broker,),
                sign_key=str(keys.sign_key),
                identity_prefix=f"{registry}/team",
            ),
            ask=lambda _: "",
            control=Control(),
        )
        receipts = (tmp_path / "out" / "receipts").glob("*.json")
        for path in (one for one in receipts if "sigstore" not in one.name):
            for line in json.loads(path.read_text())["commands"]["push"]:
                words = line.split()[1:]
                _done([skopeo, "--insecure-policy", *words, "--dest-tls-verify=false"])
        registries = tmp_path / "registries.d"
        registries.mkdir()
        attachments = f"docker:\n  {registry}:\n    use-sigstore-attachments: true\n"
        (registries / "x.yaml").write_text(attachments)
        policy = str(tmp_path / "out" / "policy.json")
        pull = [skopeo, "--policy", policy, "--registries.d", str(registries), "copy"]
        pull += ["--src-tls-verify=false"]
        flags = ["--insecure-ignore-tlog=true", "--allow-http-registry"]
        public = str(tmp_path / "out" / "cosign.pub")
        for name, image in zip(names, made.images, strict=True):
            _done([peer("cosign3"), "verify", "--key", public, *flags, image.pin])
            opened = tmp_path / f"opened-{name}"
            key = ["--remove-signatures", "--decryption-key", "provider:attestation-agent:local"]
            env = provider(tmp_path, shared, keys)
            _done([*pull, *key, f"docker://{image.pin}", f"oci:{opened}:1"], **env)
            digest = json.loads((opened / "index.json").read_text())["manifests"][0]["digest"]
            (layer,) = json.loads(blob(opened, digest).read_text())["layers"]
            assert layer["mediaType"] == OCI_LAYER_GZIP
        plain = f"docker://{registry}/team/other:1"
        push = [skopeo, "--insecure-policy", "copy", "--dest-tls-verify=false"]
        _done([*push, f"oci:{tmp_path / 'images' / 'app_1'}:1", plain])
        assert tool([*pull, plain, f"dir:{tmp_path / 'refused'}"]).returncode != 0
        unsigned = f"docker://{registry}/team/app:unsigned"
        _done([*push, f"oci:{tmp_path / 'images' / 'app_1'}:1", unsigned])
        assert tool([*pull, unsigned, f"dir:{tmp_path / 'refused'}"]).returncode != 0
