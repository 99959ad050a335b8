"""cosign and skopeo accept what kataui signed, and kataui what they signed."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kataui.findings import Verdict
from kataui.images.open import open_source
from kataui.images.verdict import Need
from tests.images.builders import tiny_layout
from tests.images.protecting import answers, change_manifest, image_entry, judge, run
from tests.interop.registries import serve

pytestmark = pytest.mark.interop
SIGNED = frozenset({Need.SIGNED})
COSIGNS = ["cosign2", "cosign3"]


def tool(argv: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    more = {"COSIGN_PASSWORD": "", "HOME": env.pop("home", os.environ.get("HOME", "/"))}
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, env={**os.environ, **more, **env}
    )


@pytest.fixture
def protected(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    return run(answers(source, tmp_path / "out", keys)).written


@pytest.fixture
def registry(tmp_path, peer) -> Iterator[str]:
    with serve(peer("crane"), tmp_path / "registry") as address:
        yield address


def verify_local(cosign: str, key: Path, layout: Path) -> subprocess.CompletedProcess[str]:
    flags = ["--insecure-ignore-tlog=true", "--local-image", str(layout)]
    return tool([cosign, "verify", "--key", str(key), *flags])


@pytest.mark.parametrize("name", COSIGNS)
@pytest.mark.parametrize("platforms", [("linux/amd64",), ("linux/amd64", "linux/arm64")])
def test_cosign_verifies_the_layout(tmp_path, keys, peer, name, platforms):
    source = tiny_layout(tmp_path / "source", platforms=platforms)
    run(answers(source, tmp_path / "out", keys))

    right = verify_local(peer(name), keys.sign_pub, tmp_path / "out")
    wrong = verify_local(peer(name), keys.foreign_pub, tmp_path / "out")

    assert right.returncode == 0, right.stderr
    assert wrong.returncode != 0


def test_cosign3_verifies_the_bundle(tmp_path, keys, peer):
    source = tiny_layout(tmp_path / "source")
    run(answers(source, tmp_path / "out", keys, bundle=True))

    assert verify_local(peer("cosign3"), keys.sign_pub, tmp_path / "out").returncode == 0
    assert verify_local(peer("cosign2"), keys.sign_pub, tmp_path / "out").returncode == 0
    assert verify_local(peer("cosign3"), keys.foreign_pub, tmp_path / "out").returncode != 0


@pytest.mark.parametrize("name", COSIGNS)
@pytest.mark.parametrize("bundle", [False, True])
def test_cosign_loads_into_a_registry_and_verifies_there(
    tmp_path, keys, peer, registry, name, bundle
):
    source = tiny_layout(tmp_path / "source")
    done = run(answers(source, tmp_path / "out", keys, bundle=bundle))
    target = f"{registry}/shop/app"

    plain = "--allow-http-registry"
    load = tool([peer(name), "load", "--dir", str(tmp_path / "out"), plain, f"{target}:1"])
    assert load.returncode == 0, load.stderr
    pinned = f"{target}@{done.proof.report.digest}"
    flags = ["--insecure-ignore-tlog=true", plain, pinned]
    right = tool([peer(name), "verify", "--key", str(keys.sign_pub), *flags])
    wrong = tool([peer(name), "verify", "--key", str(keys.foreign_pub), *flags])

    assert right.returncode == 0, right.stderr
    assert wrong.returncode != 0


@pytest.mark.parametrize("name", ["skopeo", "skopeo122"])
def test_the_push_commands_keep_digest_and_signature(tmp_path, keys, peer, registry, name):
    source = tiny_layout(tmp_path / "source", platforms=("linux/amd64", "linux/arm64"))
    identity = f"{registry}/shop/app"
    done = run(answers(source, tmp_path / "out", keys, identity=identity))

    for line in done.receipt.value["commands"]["push"]:
        words = line.split()
        argv = [peer(name), "--insecure-policy", *words[1:], "--dest-tls-verify=false"]
        pushed = tool(argv)
        assert pushed.returncode == 0, pushed.stderr

    for digest in done.written.signed:
        flags = ["--insecure-ignore-tlog=true", "--allow-http-registry", f"{identity}@{digest}"]
        verified = tool([peer("cosign3"), "verify", "--key", str(keys.sign_pub), *flags])
        assert verified.returncode == 0, verified.stderr


def test_skopeo_still_copies_a_signed_layout(tmp_path, protected, peer):
    for name in ("skopeo", "skopeo122"):
        target = f"oci:{tmp_path / name}:x"
        copied = tool([peer(name), "--insecure-policy", "copy", protected.reference, target])
        assert copied.returncode == 0, copied.stderr
        assert image_entry(tmp_path / name)["digest"] == image_entry(protected.path)["digest"]


def test_policy_json_accepts_the_good_and_refuses_the_tampered(tmp_path, keys, peer, registry):
    identity = f"{registry}/shop/app"
    layout = tmp_path / "out"
    source = tiny_layout(tmp_path / "source")
    good = run(answers(source, layout, keys, identity=identity)).proof.report.digest
    plain = "--allow-http-registry"
    load = tool([peer("cosign2"), "load", "--dir", str(layout), plain, f"{identity}:1"])
    assert load.returncode == 0, load.stderr
    change_manifest(layout, lambda manifest: manifest.update(annotations={"a": "tampered"}))
    push = [peer("skopeo122"), "--insecure-policy", "copy", "--dest-tls-verify=false"]
    pushed = tool([*push, f"oci:{layout}:1", f"docker://{identity}:2"])
    assert pushed.returncode == 0, pushed.stderr
    tampered = image_entry(layout)["digest"]
    registries = tmp_path / "registries.d"
    registries.mkdir()
    attachments = f"docker:\n  {registry}:\n    use-sigstore-attachments: true\n"
    (registries / "x.yaml").write_text(attachments)

    def pulled(digest: object, key: Path) -> bool:
        identity_rule = {"type": "matchRepository"}
        rule = {"type": "sigstoreSigned", "keyPath": str(key), "signedIdentity": identity_rule}
        scopes = {"docker": {identity: [rule]}}
        policy = tmp_path / "policy.json"
        policy.write_text(json.dumps({"default": [{"type": "reject"}], "transports": scopes}))
        argv = [peer("skopeo122"), "--policy", str(policy), "--registries.d", str(registries)]
        argv += ["copy", "--src-tls-verify=false", f"docker://{identity}@{digest}"]
        return tool([*argv, f"dir:{tmp_path / 'pulled'}"]).returncode == 0

    assert pulled(good, keys.sign_pub)
    assert not pulled(good, keys.foreign_pub)
    assert not pulled(tampered, keys.sign_pub)


@pytest.mark.parametrize("name", COSIGNS)
def test_kataui_verifies_what_cosign_signed(tmp_path, peer, registry, name, keys):
    source = tiny_layout(tmp_path / "source")
    identity = f"{registry}/shop/app"
    push = [peer("skopeo122"), "--insecure-policy", "copy", "--preserve-digests"]
    push += ["--dest-tls-verify=false", f"oci:{source}:1", f"docker://{identity}:1"]
    assert tool(push).returncode == 0
    with open_source(str(source)) as opened:
        pinned = f"{identity}@{opened.root.digest}"
    more = ["--use-signing-config=false"] if name == "cosign3" else []
    sign = [peer(name), "sign", "--yes", "--tlog-upload=false", *more, "--allow-http-registry"]
    signed = tool([*sign, "--key", str(keys.sign_key), pinned], home=str(tmp_path))
    assert signed.returncode == 0, signed.stderr
    save = [peer(name), "save", "--dir", str(tmp_path / "saved"), "--allow-http-registry", pinned]
    assert tool(save).returncode == 0

    report = judge(tmp_path / "saved", keys, require=SIGNED)

    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize("name", COSIGNS)
def test_cosign_reads_the_receipts_signature(tmp_path, keys, peer, name):
    source = tiny_layout(tmp_path / "source")
    receipt = tmp_path / "receipt.json"
    run(answers(source, tmp_path / "out", keys, receipt=str(receipt)))
    more: list[str] = []
    if name == "cosign2":
        roots = tmp_path / "roots.json"
        assert tool([peer(name), "trusted-root", "create", "--out", str(roots)]).returncode == 0
        more = ["--new-bundle-format", "--trusted-root", str(roots)]
    argv = [peer(name), "verify-blob", "--key", str(keys.sign_pub), "--insecure-ignore-tlog", *more]
    argv += ["--bundle", f"{receipt}.sigstore.json", str(receipt)]

    assert tool(argv).returncode == 0
    receipt.write_text(receipt.read_text().replace("pass", "fail"))
    assert tool(argv).returncode != 0


@pytest.mark.parametrize("name", COSIGNS)
def test_cosign_signs_with_a_key_of_ours(tmp_path, keys, peer, name):
    (tmp_path / "file").write_text("text")
    more = ["--use-signing-config=false"] if name == "cosign3" else []
    argv = [peer(name), "sign-blob", "--yes", "--tlog-upload=false", *more]
    argv += ["--key", str(keys.sign_key), "--bundle", str(tmp_path / "bundle")]

    done = tool([*argv, str(tmp_path / "file")], home=str(tmp_path))

    assert done.returncode == 0, done.stderr
