"""Sidecars that a webhook will add: prepared from an image of their own, expected by the lock."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kataui.errors import KatauiError
from kataui.findings import Verdict
from kataui.images.cosignkey import load_public_key
from kataui.images.signatures import PublicKey
from kataui.kata.manifest import parse
from kataui.pods.compare import Compared, compare
from kataui.pods.lock import check_signature, read_lock
from kataui.pods.prepare import PrepareAnswers, Prepared, prepare
from kataui.pods.publish import Place, plan
from kataui.pods.read import pods_of
from kataui.pods.sidecars import ISTIO_IMAGE, sidecars_of
from kataui.progress import Control
from tests.images.builders import tar_bytes, tiny_layout

_PREFIX = "registry.example.org/team"
_MANIFEST = """\
apiVersion: v1
kind: Pod
metadata:
  name: shop
  {wish}
spec:
  containers:
  - name: main
    image: shop/main:2
"""
_ISTIO = 'labels: {sidecar.istio.io/inject: "true"}'
_LINKERD = "annotations: {linkerd.io/inject: enabled}"


@pytest.fixture
def asked(tmp_path: Path, keys) -> PrepareAnswers:
    for name in ("shop_main_2", "istio_proxyv2_1.24", "proxy"):
        tiny_layout(tmp_path / "images" / name, layers=[tar_bytes({name: name.encode()})])
    (tmp_path / "pod.yaml").write_text(_MANIFEST.format(wish=_ISTIO))
    return PrepareAnswers(
        file=str(tmp_path / "pod.yaml"),
        images=str(tmp_path / "images"),
        out=str(tmp_path / "out"),
        recipients=(keys.broker,),
        sign_key=str(keys.sign_key),
        identity_prefix=_PREFIX,
        sidecars=("istio-proxy=istio/proxyv2:1.24",),
    )


def _run(asked: PrepareAnswers) -> Prepared:
    return prepare(asked, ask=lambda _: "", control=Control())


def _compared(out: Path, text: str) -> Compared:
    lock = read_lock(out / "podlock.json")
    public = (PublicKey("cosign.pub", load_public_key(out / "cosign.pub")),)
    pods = pods_of(parse(text.encode(), "live.yaml"))
    return compare(lock, pods, check_signature(lock, out / "podlock.json", public))


def test_the_webhook_is_told_to_take_the_prepared_image(asked: PrepareAnswers) -> None:
    made = _run(asked)
    out = Path(asked.out)
    proxy = next(one for one in made.images if one.asked == "istio/proxyv2:1.24")
    (pod,) = pods_of(parse((out / "manifest.yaml").read_bytes(), "manifest.yaml"))
    assert pod.place.annotations[ISTIO_IMAGE] == proxy.pin
    assert [one.name for one in pod.containers] == ["main"]
    for name in ("policy.json", "image-security-policy.json"):
        policy = json.loads((out / name).read_text())
        assert proxy.identity in policy["transports"]["docker"]
    assert not any(one.id == "PREP-INJECT" for one in made.findings)


def test_an_expected_sidecar_is_not_pushed_in_and_another_one_is(asked: PrepareAnswers) -> None:
    made = _run(asked)
    out = Path(asked.out)
    proxy = next(one for one in made.images if one.asked == "istio/proxyv2:1.24")
    text = (out / "manifest.yaml").read_text()
    head = "  containers:\n  - name: istio-proxy\n    image: "
    injected = text.replace("  containers:\n", f"{head}{proxy.pin}\n    args: [proxy]\n")
    found = _compared(out, injected)
    assert (found.verdict, found.added) == (Verdict.UNKNOWN, ())
    assert [one.id for one in found.findings if not one.checked] == ["LOCK-SIDECAR"]
    other = text.replace("  containers:\n", f"{head}evil@sha256:{'1' * 64}\n")
    assert _compared(out, other).verdict is Verdict.FAIL
    renamed = injected.replace("name: istio-proxy", "name: helper")
    assert [one["name"] for one in _compared(out, renamed).added] == ["helper"]


def test_the_sidecar_is_published_with_the_pod(asked: PrepareAnswers) -> None:
    _run(asked)
    steps = plan(Path(asked.out), Place(), control=Control()).steps
    assert any(f"{_PREFIX}/proxyv2" in step.sentence for step in steps)


def test_a_mesh_without_its_image_is_told_and_linkerd_cannot_pin(asked: PrepareAnswers) -> None:
    made = _run(replace(asked, sidecars=()))
    (said,) = (one for one in made.findings if one.id == "PREP-INJECT")
    assert "--sidecar istio-proxy=IMAGE" in said.fix
    Path(asked.file).write_text(_MANIFEST.format(wish=_LINKERD))
    second = replace(asked, sidecars=("linkerd-proxy=proxy",), out=f"{asked.out}2")
    (said,) = (one for one in _run(second).findings if one.id == "PREP-INJECT")
    assert f"config.linkerd.io/proxy-image to {_PREFIX}/proxy;" in said.fix


@pytest.mark.parametrize("text", ["istio-proxy", "=image", "istio-proxy=", ""])
def test_a_sidecar_needs_its_name_and_image(text: str) -> None:
    with pytest.raises(KatauiError) as caught:
        sidecars_of([text])
    assert "NAME=IMAGE" in caught.value.hint


def test_a_sidecar_whose_image_is_not_here_stops_everything(asked: PrepareAnswers) -> None:
    with pytest.raises(KatauiError, match=r"istio-proxy: other:1 is not in"):
        _run(replace(asked, sidecars=("istio-proxy=other:1",)))
    assert not Path(asked.out).exists()
