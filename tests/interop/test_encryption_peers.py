"""Other people's tools open what kataui encrypted, and kataui what they encrypted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kataui.findings import Verdict
from kataui.images.compare import compare
from kataui.images.encrypt import choose_profile, decrypt_image, encrypt_image
from kataui.images.keymaking import new_key
from kataui.images.keys import load_keys
from kataui.images.open import open_source
from kataui.images.recipients import parse_recipient
from kataui.images.verdict import Need
from kataui.images.writer import destination
from kataui.progress import Control
from tests.images.builders import tiny_layout
from tests.images.protecting import judge, manifest_of

pytestmark = pytest.mark.interop
ENCRYPTED = frozenset({Need.ENCRYPTED})
SKOPEOS = ["skopeo", "skopeo122"]


def encrypt(source: Path, target: Path, *specs: str, layers: frozenset[int] | None = None) -> Path:
    recipients = [parse_recipient(spec) for spec in specs]
    everything = frozenset(range(9)) if layers is None else layers
    with open_source(str(source)) as opened, destination(str(target)) as place:
        encrypt_image(
            opened,
            place.layout,
            recipients=recipients,
            selection=lambda _: everything,
            profile=choose_profile("", recipients),
            tag="1",
            control=Control(),
        )
        place.commit()
    return target


def tool(argv: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, env={**os.environ, **env}
    )


def skopeo(path: str, *words: str, **env: str) -> None:
    done = tool([path, "--insecure-policy", "copy", *words], **env)
    assert done.returncode == 0, done.stderr[-500:]


def same_layers(opened: Path, source: Path) -> None:
    """A layout that a tool decrypted has the source's layers, byte for byte."""
    layers = [layer["digest"] for layer in manifest_of(opened)["layers"]]
    assert layers == [layer["digest"] for layer in manifest_of(source)["layers"]]


@pytest.mark.parametrize("name", SKOPEOS)
@pytest.mark.parametrize("kind", ["rsa", "p256", "p384", "p521", "several", "pkcs7"])
def test_skopeo_decrypts_each_scheme(tmp_path, keys, peer, name, kind):
    source = tiny_layout(tmp_path / "source")
    specs, private = [keys.recipient], [keys.private]
    if kind.startswith("p") and kind != "pkcs7":
        made = new_key("jwe", tmp_path / "ec", algorithm=kind)
        specs, private = [f"jwe:{made.public}"], [str(made.private)]
    elif kind == "several":
        specs, private = [keys.recipient, keys.other_recipient], [keys.other_private]
    elif kind == "pkcs7":
        specs, private = [f"pkcs7:{keys.certificate}"], [keys.certificate_key, keys.certificate]
    encrypt(source, tmp_path / "enc", *specs)

    flags = [word for key in private for word in ("--decryption-key", key)]
    skopeo(peer(name), *flags, f"oci:{tmp_path / 'enc'}:1", f"oci:{tmp_path / 'dec'}:1")

    same_layers(tmp_path / "dec", source)


@pytest.mark.parametrize("name", SKOPEOS)
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_skopeo_decrypts_each_compression(tmp_path, keys, peer, name, compression):
    source = tiny_layout(tmp_path / "source", compression=compression)
    encrypt(source, tmp_path / "enc", keys.recipient, layers=frozenset({0, 2}))

    words = ["--dest-oci-accept-uncompressed-layers", "--decryption-key", keys.private]
    skopeo(peer(name), *words, f"oci:{tmp_path / 'enc'}:1", f"oci:{tmp_path / 'dec'}:1")

    dec, src = manifest_of(tmp_path / "dec")["layers"], manifest_of(source)["layers"]
    assert [dec[0]["digest"], dec[2]["digest"]] == [src[0]["digest"], src[2]["digest"]]


@pytest.mark.parametrize("name", SKOPEOS)
def test_what_skopeo_encrypted_compares_as_the_same(tmp_path, keys, peer, name):
    source = tiny_layout(tmp_path / "source")
    words = ["--encryption-key", keys.recipient, "--encrypt-layer", "0", "--encrypt-layer", "2"]
    skopeo(peer(name), *words, f"oci:{source}:1", f"oci:{tmp_path / 'enc'}:1")

    ring = load_keys((keys.private,), lambda _: "")
    with open_source(str(source)) as a, open_source(str(tmp_path / "enc")) as b:
        found = compare(a, b, ring=ring, control=Control())

    assert found.verdict is Verdict.PASS
    assert [pair.state for pair in found.platforms[0].layers] == ["repacked", "same", "repacked"]


def test_skopeo_decrypts_every_platform(tmp_path, keys, peer):
    source = tiny_layout(tmp_path / "source", platforms=("linux/amd64", "linux/arm64"))
    encrypt(source, tmp_path / "enc", keys.recipient)

    words = ["--all", "--decryption-key", keys.private]
    skopeo(peer("skopeo122"), *words, f"oci:{tmp_path / 'enc'}:1", f"oci:{tmp_path / 'dec'}:1")

    with open_source(str(source)) as one, open_source(str(tmp_path / "dec")) as two:
        before = [[layer.descriptor.digest for layer in image.layers] for image in one.images]
        after = [[layer.descriptor.digest for layer in image.layers] for image in two.images]
    assert before == after


@pytest.fixture
def token(tmp_path, peer):
    """A key pair in a SoftHSM token: the public key file, and skopeo's words and environment."""
    util = Path(peer("softhsm2-util"))
    modules = sorted(util.parents[1].rglob("libsofthsm2.so"))
    if not modules:
        pytest.skip("SoftHSM's module is not beside its tool")
    made = new_key("jwe", tmp_path / "token")
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    base = [str(util), "--module", str(modules[0])]
    init = ["--init-token", "--free", "--label", "tok1", "--so-pin", "1234", "--pin", "5678"]
    key = ["--import", str(made.private), "--token", "tok1", "--label", "mykey", "--id", "01"]
    for words in (init, [*key, "--pin", "5678"]):
        done = tool([*base, *words], SOFTHSM2_CONF=str(conf))
        assert done.returncode == 0, done.stderr
    folder = f"{modules[0].parent}/"
    lists = "".join(
        f"  {n}:\n    - {folder}\n" for n in ("module-directories", "allowed-module-paths")
    )
    (tmp_path / "ocicrypt.conf").write_text(f"pkcs11:\n{lists}")
    uri = "pkcs11:token=tok1;object=mykey?module-name=softhsm2&pin-value=5678"
    yaml = tmp_path / "key.yaml"
    yaml.write_text(f"pkcs11:\n  uri: {uri}\nmodule:\n  env:\n    SOFTHSM2_CONF: {conf}\n")
    words = ["--decryption-key", str(yaml)]
    return made.public, words, {"OCICRYPT_CONFIG": str(tmp_path / "ocicrypt.conf")}


def test_skopeo_decrypts_for_a_token_key(tmp_path, peer, token, monkeypatch):
    """PKCS11: wrapped by kataui for a public key, opened by skopeo in SoftHSM."""
    public, words, env = token
    source = tiny_layout(tmp_path / "source")
    monkeypatch.setenv("OCICRYPT_OAEP_HASHALG", "sha1")  # SoftHSM knows no other
    encrypt(source, tmp_path / "enc", f"pkcs11:{public}")
    monkeypatch.delenv("OCICRYPT_OAEP_HASHALG")

    target = f"oci:{tmp_path / 'dec'}:1"
    skopeo(peer("skopeo122"), *words, f"oci:{tmp_path / 'enc'}:1", target, **env)

    same_layers(tmp_path / "dec", source)


def provider(tmp_path: Path, shared: Path, keys) -> dict[str, str]:
    """The environment in which skopeo asks CoCo's kind of key provider."""
    script = shared / "peers" / "tools" / "coco-keyprovider.py"
    config = {
        "key-providers": {
            "attestation-agent": {"cmd": {"path": sys.executable, "args": [str(script)]}}
        }
    }
    path = tmp_path / "keyprovider.json"
    path.write_text(json.dumps(config))
    return {
        "OCICRYPT_KEYPROVIDER_CONFIG": str(path),
        "KEYPROVIDER_KEY": str(keys.folder / "broker.key"),
        "KEYPROVIDER_LOG": str(tmp_path / "log"),
    }


def test_skopeo_opens_the_guests_packet_through_a_keyprovider(tmp_path, keys, peer, shared):
    source = tiny_layout(tmp_path / "source")
    encrypt(source, tmp_path / "enc", keys.broker)
    env = provider(tmp_path, shared, keys)

    words = ["--decryption-key", "provider:attestation-agent:local"]
    target = f"oci:{tmp_path / 'dec'}:1"
    skopeo(peer("skopeo122"), *words, f"oci:{tmp_path / 'enc'}:1", target, **env)

    same_layers(tmp_path / "dec", source)


def test_kataui_opens_what_a_keyprovider_wrapped(tmp_path, keys, peer, shared):
    source = tiny_layout(tmp_path / "source")
    env = provider(tmp_path, shared, keys)
    key = f"keypath={keys.folder / 'broker.key'}::keyid=kbs:///default/image-key/test"

    words = ["--encryption-key", f"provider:attestation-agent:{key}::algorithm=A256GCM"]
    target = f"oci:{tmp_path / 'enc'}:1"
    skopeo(peer("skopeo122"), *words, f"oci:{source}:1", target, **env)

    report = judge(tmp_path / "enc", private=(keys.broker,), require=ENCRYPTED)
    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize("name", SKOPEOS)
@pytest.mark.parametrize("kind", ["rsa", "several", "pkcs7"])
def test_kataui_decrypts_what_skopeo_encrypted(tmp_path, keys, peer, name, kind):
    source = tiny_layout(tmp_path / "source")
    specs = {
        "rsa": [keys.recipient],
        "several": [keys.recipient, keys.other_recipient],
        "pkcs7": [f"pkcs7:{keys.certificate}"],
    }[kind]
    private = [keys.private] if kind != "pkcs7" else [keys.certificate_key, keys.certificate]
    flags = [word for spec in specs for word in ("--encryption-key", spec)]
    skopeo(peer(name), *flags, f"oci:{source}:1", f"oci:{tmp_path / 'enc'}:1")

    ring = load_keys(private, lambda _: "")
    encrypted = str(tmp_path / "enc")
    with open_source(encrypted) as opened, destination(str(tmp_path / "dec")) as place:
        decrypt_image(opened, place.layout, ring=ring, tag="1", control=Control())
        place.commit()

    same_layers(tmp_path / "dec", source)


def test_buildah_decrypts_on_pull(tmp_path, keys, peer):
    source = tiny_layout(tmp_path / "source")
    encrypt(source, tmp_path / "enc", keys.recipient)
    storage = ["--storage-driver", "vfs"]
    storage += ["--root", str(tmp_path / "root"), "--runroot", str(tmp_path / "runroot")]
    policy = tmp_path / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')

    pull = ["pull", "--signature-policy", str(policy), "--decryption-key", keys.private]
    done = tool([peer("buildah"), *storage, *pull, f"oci:{tmp_path / 'enc'}:1"])

    assert done.returncode == 0, done.stderr[-500:]
    with open_source(str(source)) as opened:
        assert done.stdout.strip() == opened.images[0].config_descriptor.digest.hex


def test_ctd_decoder_decrypts_every_layer(tmp_path, keys, peer, shared):
    source = tiny_layout(tmp_path / "source")
    encrypt(source, tmp_path / "enc", keys.recipient)
    folder = str(Path(peer("ctd-decoder")).parent)
    script = str(shared / "peers" / "tools" / "ctd.py")

    for index, layer in enumerate(manifest_of(source)["layers"]):
        argv = [sys.executable, script, str(tmp_path / "enc"), str(index), keys.private]
        done = tool(argv, PATH=f"{folder}{os.pathsep}{os.environ['PATH']}")
        assert done.stdout.startswith("rc 0"), done.stdout
        assert layer["digest"].removeprefix("sha256:") in done.stdout


def test_skopeo_refuses_what_was_tampered(tmp_path, keys, peer):
    from tests.images.protecting import blob, replace_layer

    source = tiny_layout(tmp_path / "source")
    layout = encrypt(source, tmp_path / "enc", keys.recipient)
    data = bytearray(blob(layout, manifest_of(layout)["layers"][1]["digest"]).read_bytes())
    data[50] ^= 1
    replace_layer(layout, 1, bytes(data))

    words = ["copy", "--decryption-key", keys.private]
    argv = [peer("skopeo122"), "--insecure-policy", *words, f"oci:{layout}:1"]

    assert tool([*argv, f"oci:{tmp_path / 'dec'}:1"]).returncode != 0
    assert judge(layout, private=(keys.private,), require=ENCRYPTED).verdict is Verdict.FAIL
