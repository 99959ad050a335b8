"""Preparing a pod: what comes out, that it holds together, and that nothing is left on failure."""

import json
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataui.errors import KatauiError
from kataui.findings import Verdict
from kataui.images.cosignkey import load_public_key
from kataui.images.signatures import PublicKey
from kataui.kata import initdata
from kataui.kata.manifest import parse
from kataui.pods.audit import audit
from kataui.pods.compare import compare
from kataui.pods.lock import check_signature, read_lock
from kataui.pods.prepare import PrepareAnswers, Prepared, prepare
from kataui.pods.preparedfiles import guest_policy, initdata_toml
from kataui.pods.read import pods_of, read_file
from kataui.pods.shelf import open_shelf
from kataui.progress import Cancelled, Control
from tests.images.builders import tar_bytes, tiny_layout
from tests.pods.pods import genpolicy

_PREFIX = "registry.example.org/team"
_MANIFEST = """\
# the shop
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}   # kept
spec:
  template:
    metadata:
      labels: {app: shop}
    spec:
      initContainers:
      - name: migrate
        image: shop/migrate:2   # first
      - name: istio-proxy
        image: istio/proxyv2:1.24
        restartPolicy: Always
      containers:
      - name: main
        image: "shop/main:2"
"""


@pytest.fixture
def asked(tmp_path: Path, keys) -> PrepareAnswers:
    for name in ("shop_migrate_2", "istio_proxyv2_1.24", "shop_main_2"):
        tiny_layout(tmp_path / "images" / name, layers=[tar_bytes({name: name.encode()})])
    (tmp_path / "deploy.yaml").write_text(_MANIFEST)
    return PrepareAnswers(
        file=str(tmp_path / "deploy.yaml"),
        images=str(tmp_path / "images"),
        out=str(tmp_path / "out"),
        recipients=(keys.broker,),
        sign_key=str(keys.sign_key),
        identity_prefix=_PREFIX,
        kbs_url="http://kbs.example:8080",
    )


def _run(asked: PrepareAnswers, control: Control | None = None) -> Prepared:
    return prepare(asked, ask=lambda _: "", control=control or Control())


def _with(asked: PrepareAnswers, **changes: object) -> PrepareAnswers:
    values = {name: getattr(asked, name) for name in asked.__slots__}
    return PrepareAnswers(**{**values, **changes})


def test_all_that_is_promised_is_there(asked: PrepareAnswers) -> None:
    made = _run(asked)
    out = Path(asked.out)
    names = {path.name for path in out.iterdir()}
    assert {"manifest.yaml", "images", "policy.json", "initdata.toml", "podlock.json"} <= names
    assert {"receipts", "index.html", "keys"} <= names
    assert {one.identity for one in made.images} == {
        f"{_PREFIX}/{name}" for name in ("migrate", "proxyv2", "main")
    }
    assert made.verdict is Verdict.PASS
    page = (out / "index.html").read_text()
    assert all(one.pin in page for one in made.images)
    assert made.digest in page


def test_comments_and_order_of_the_manifest_stay(asked: PrepareAnswers) -> None:
    made = _run(asked)
    text = (Path(asked.out) / "manifest.yaml").read_text()
    assert text.startswith("# the shop\napiVersion: apps/v1\n")
    assert "# kept" in text
    assert "# first" in text
    (pod,) = pods_of(parse(text, "manifest.yaml"))
    assert pod.runtime_class == asked.runtime_class
    assert [one.image for one in pod.containers] == [
        next(image.pin for image in made.images if image.asked == name)
        for name in ("shop/migrate:2", "istio/proxyv2:1.24", "shop/main:2")
    ]


def test_the_audit_of_what_was_prepared_finds_it_covered(asked: PrepareAnswers, keys) -> None:
    policy = Path(asked.file).with_name("policy.rego")
    policy.write_text("policy_data := {}\n")
    made = _run(_with(asked, policy=str(policy)))
    policy.write_text(genpolicy([image.pin for image in made.images]))
    second = _with(asked, policy=str(policy), out=f"{asked.out}2")
    made = _run(second)
    out = Path(second.out)
    public = (PublicKey("cosign.pub", load_public_key(out / "cosign.pub")),)
    shelf = open_shelf(out / "images", Control())
    found = audit(read_file(out / "manifest.yaml"), shelf, public, Control())
    assert {one.coverage.encrypted.value for one in found.containers} == {"all"}
    assert {one.coverage.signed.value for one in found.containers} == {"valid"}
    assert all(one.container.pinned and one.coverage.guest_opens for one in found.containers)
    wrong = [one for one in found.findings if one.severity != "info" and one.id != "K-COCO-3"]
    assert wrong == []  # though each run has keys, and so digests, of its own
    assert all(one.in_policy for one in found.containers)


def test_the_lock_holds_for_the_manifest_and_not_for_a_pushed_in_sidecar(
    asked: PrepareAnswers,
) -> None:
    _run(asked)
    out = Path(asked.out)
    lock = read_lock(out / "podlock.json")
    public = (PublicKey("cosign.pub", load_public_key(out / "cosign.pub")),)
    signature = check_signature(lock, out / "podlock.json", public)
    pods = pods_of(read_file(out / "manifest.yaml"))
    assert compare(lock, pods, signature).verdict is Verdict.PASS
    text = (out / "manifest.yaml").read_text()
    pushed = "      containers:\n      - name: spy\n        image: spy\n"
    text = text.replace("      containers:\n", pushed)
    found = compare(lock, pods_of(parse(text, "live.yaml")), signature)
    assert [one["name"] for one in found.added] == ["spy"]


def test_the_initdata_is_the_annotation_and_has_the_image_policy(asked: PrepareAnswers) -> None:
    made = _run(asked)
    out = Path(asked.out)
    (pod,) = pods_of(read_file(out / "manifest.yaml"))
    found = initdata.from_annotation(pod.place.annotations[initdata.ANNOTATION])
    assert found.toml == (out / "initdata.toml").read_bytes()
    assert found.reported("snp").hex() == made.digest
    assert made.digest in (out / "kbs-policy.rego").read_text()
    assert initdata.problems(found, "snp") == []
    assert "sigstoreSigned" in found.data["cdh.toml"]
    assert asked.kbs_url in found.data["aa.toml"]


def test_secrets_are_in_keys_and_nowhere_else(asked: PrepareAnswers, keys) -> None:
    _run(asked)
    out = Path(asked.out)
    secret = Path(keys.broker.partition("=")[2]).read_bytes()
    assert stat.S_IMODE((out / "keys").stat().st_mode) == 0o700
    assert (out / "keys/kbs/default/image-key/test").read_bytes() == secret
    holders = {
        path.relative_to(out).parts[0]
        for path in out.rglob("*")
        if path.is_file() and secret in path.read_bytes()
    }
    assert holders == {"keys"}
    assert stat.S_IMODE((out / "keys/trustee-secrets.yaml").stat().st_mode) == 0o600
    script = (out / "keys/upload.sh").read_text()
    assert "--path default/image-key/test --resource-file kbs/default/image-key/test" in script
    assert subprocess.run(["sh", "-n", str(out / "keys/upload.sh")], check=False).returncode == 0


def test_receipts_name_the_place_that_stays(asked: PrepareAnswers) -> None:
    _run(asked)
    out = Path(asked.out)
    receipts = sorted((out / "receipts").glob("*.json"))
    told = [json.loads(path.read_text()) for path in receipts if "sigstore" not in path.name]
    assert len(told) == 3
    for one in told:
        assert Path(one["result"]["path"]).is_dir()
        assert ".kataui-" not in json.dumps(one)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"identity_prefix": "no host"}, "no host"),
        ({"runtime_class": "Not A Class"}, "runtime class"),
        ({"sign_key": "/absent"}, "No such file"),
        ({"recipients": ("kbs:///a/b/c",)}, "names no key file"),
        ({"images": "/absent"}, "No such file"),
        ({"policy": "/absent"}, "No such file"),
    ],
)
def test_bad_answers_leave_nothing(
    asked: PrepareAnswers, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(KatauiError, match=words):
        _run(_with(asked, **changes))
    assert not Path(asked.out).exists()
    assert not list(Path(asked.out).parent.glob(".out*"))


def test_a_missing_image_is_told_before_anything_is_written(asked: PrepareAnswers) -> None:
    (Path(asked.images) / "shop_main_2").rename(Path(asked.images) / "other")
    with pytest.raises(KatauiError, match="shop/main:2 is not in"):
        _run(asked)
    assert not Path(asked.out).exists()


def test_cancelling_leaves_nothing(asked: PrepareAnswers) -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        _run(asked, control)
    assert not Path(asked.out).exists()


def test_a_folder_that_is_there_stays(asked: PrepareAnswers) -> None:
    Path(asked.out).mkdir()
    with pytest.raises(KatauiError, match="is there already"):
        _run(asked)
    assert list(Path(asked.out).iterdir()) == []


def test_for_a_host_a_guest_cannot_open_it(asked: PrepareAnswers, keys) -> None:
    made = _run(_with(asked, recipients=(keys.recipient,), keys=(keys.private,)))
    assert [one.id for one in made.findings] == ["PREP-POLICY", "PREP-GUEST"]


@given(st.text(max_size=200), st.text(max_size=60))
def test_initdata_holds_any_text_as_it_is(policy: str, certificate: str) -> None:
    texts = {"policy": policy, "certificate": certificate}
    guest = guest_policy(["registry.example/it's"])
    toml = initdata_toml(algorithm="sha256", url="http://kbs", image_policy=guest, **texts)
    data = tomllib.loads(toml)["data"]
    assert data.get("policy.rego", "") == policy
    cdh = tomllib.loads(data["cdh.toml"])
    assert cdh["kbc"].get("kbs_cert", "") == certificate
    assert json.loads(cdh["image"]["image_security_policy"]) == guest
