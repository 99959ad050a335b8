"""The audit: what is covered, what a policy lets the host do, and what the verdict says."""

from pathlib import Path

import pytest

from kataui.errors import KatauiError
from kataui.findings import Finding, Severity, Verdict
from kataui.images.cosignkey import load_public_key
from kataui.images.signatures import PublicKey
from kataui.kata.manifest import parse
from kataui.pods.audit import Audit, audit
from kataui.pods.coverage import Encrypted, Signed
from kataui.pods.shelf import Shelf, open_shelf
from kataui.progress import Control
from tests.images.builders import tar_bytes, tiny_layout
from tests.images.protecting import IDENTITY, answers, run
from tests.pods.pods import DIGEST, IMAGE, POLICY, genpolicy, manifest, with_initdata


def _audit(text: str, shelf: Shelf | None = None, keys: tuple[PublicKey, ...] = ()) -> Audit:
    return audit(parse(text, "pod.yaml"), shelf or Shelf(), keys, Control())


def _of(found: Audit, name: str) -> list[Finding]:
    return [one for one in found.findings if one.id == name]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, keys) -> Path:
    """A folder with one image protected and one left as it was."""
    made = tmp_path_factory.mktemp("images")
    source = tiny_layout(made / "registry.example_plain_1")
    run(answers(source, made / "covered", keys))
    return made


@pytest.fixture
def shelf(folder: Path) -> Shelf:
    return open_shelf(folder, Control())


@pytest.fixture
def public(keys) -> tuple[PublicKey, ...]:
    return (PublicKey("team.pub", load_public_key(keys.sign_pub)),)


def _digest(shelf: Shelf, name: str) -> str:
    return next(one.digest for one in shelf.images if one.file_name == name)


def test_a_covered_image_is_told(shelf: Shelf, public) -> None:
    image = f"{IDENTITY}@{_digest(shelf, 'covered')}"
    found = _audit(manifest(images=[image]), shelf, public)
    (one,) = found.containers
    assert one.container.pinned
    assert (one.coverage.encrypted, one.coverage.signed) == (Encrypted.ALL, Signed.VALID)
    assert not _of(found, "POD-PIN")
    assert not _of(found, "POD-IDENTITY")
    assert one.coverage.guest_opens is False  # it is for a host's key
    assert len(_of(found, "POD-PLAIN")) == 1


def test_a_signature_for_another_repository_is_told(shelf: Shelf, public) -> None:
    image = f"registry.example/elsewhere@{_digest(shelf, 'covered')}"
    found = _audit(manifest(images=[image]), shelf, public)
    assert len(_of(found, "POD-IDENTITY")) == 1


def test_without_public_keys_a_signature_is_unknown(shelf: Shelf) -> None:
    image = f"{IDENTITY}@{_digest(shelf, 'covered')}"
    (one,) = _audit(manifest(images=[image]), shelf).containers
    assert one.coverage.signed is Signed.UNKNOWN


def test_a_plain_image_is_found_by_its_file_name(shelf: Shelf, public) -> None:
    found = _audit(manifest(images=["registry.example/plain:1"]), shelf, public)
    (one,) = found.containers
    assert (one.coverage.encrypted, one.coverage.signed) == (Encrypted.NONE, Signed.MISSING)
    assert {"POD-PIN", "POD-PLAIN", "POD-UNSIGNED"} <= {f.id for f in found.findings}
    assert _digest(shelf, "registry.example_plain_1") in _of(found, "POD-PIN")[0].fix
    assert found.verdict is Verdict.FAIL


def test_another_image_under_the_pinned_name_is_told(shelf: Shelf) -> None:
    found = _audit(manifest(images=[f"registry.example/plain:1@{DIGEST}"]), shelf)
    assert "is not the image that is pinned" in _of(found, "POD-PIN")[0].message


def test_two_matches_are_told(tmp_path: Path) -> None:
    tiny_layout(tmp_path / "app")
    tiny_layout(tmp_path / "app_1", layers=[tar_bytes({"other": b"1"})])
    found = _audit(manifest(images=["app:1"]), open_shelf(tmp_path, Control()))
    assert len(_of(found, "POD-TWICE")) == 1


def test_an_image_that_is_not_here_is_unknown() -> None:
    annotations = with_initdata(genpolicy())
    found = _audit(manifest(annotations=annotations))
    assert found.containers[0].coverage.encrypted is Encrypted.UNKNOWN
    assert _of(found, "POD-NOIMG")[0].checked is False
    assert found.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("default AllowRequestsFailingPolicy := true\n", "passes all the same"),
        (
            "default CreateContainerRequest := true\ndefault ExecProcessRequest := true\n",
            "allows everything",
        ),
        (genpolicy(ExecProcessRequest=True), "run commands"),
        (genpolicy(SetPolicyRequest=True), "replace the policy"),
        (genpolicy(images=()), "is not in the policy"),
        (genpolicy(images=(IMAGE, "spy")), "spy, which is not in the manifest"),
        ("default CreateContainerRequest := false\n", "is not evaluated"),
        ("", "no policy.rego"),
    ],
)
def test_policies(policy: str, words: str) -> None:
    found = _audit(manifest(annotations=with_initdata(policy)))
    assert any(words in one.message for one in _of(found, "POD-POLICY"))


def test_a_policy_of_genpolicy_has_the_container() -> None:
    found = _audit(manifest(annotations=with_initdata(genpolicy())))
    assert not _of(found, "POD-POLICY")
    assert not _of(found, "POD-IMGPOLICY")
    assert found.containers[0].in_policy is True


@pytest.mark.parametrize(
    ("image_policy", "words"),
    [
        ({**POLICY, "default": [{"type": "insecureAcceptAnything"}]}, "does not reject"),
        ({"default": [{"type": "reject"}]}, "lacks default or transports"),
        ({"default": [{"type": "reject"}], "transports": {}}, "refuses this image"),
    ],
)
def test_image_policies(image_policy: object, words: str) -> None:
    found = _audit(manifest(annotations=with_initdata(genpolicy(), image_policy)))
    assert any(words in one.message for one in _of(found, "POD-IMGPOLICY"))


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({"hostNetwork": True}, "POD-HOST"),
        ({"hostPID": True}, "POD-HOST"),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/etc"}}]}, "POD-HOST"),
        ({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}, "POD-SECRET"),
        ({"ephemeralContainers": [{"name": "debug", "image": "x"}]}, "POD-EPHEMERAL"),
        ({"runtime_class": "kata-qemu"}, "POD-CLASS"),
        ({"runtime_class": "kata-qemu-coco-dev"}, "POD-CLASS"),
        ({"runtime_class": ""}, "POD-CLASS"),
        ({"annotations": {"io.katacontainers.config.agent.policy": "x"}}, "POD-LEGACY"),
        ({}, "POD-INITDATA"),
    ],
)
def test_what_weakens_a_pod_is_told(spec: dict[str, object], name: str) -> None:
    assert _of(_audit(manifest(**spec)), name)


def test_a_confidential_class_is_fine() -> None:
    assert not _of(_audit(manifest()), "POD-CLASS")


def test_errors_come_first_and_what_gains_most_before_the_rest() -> None:
    found = _audit(manifest(images=["a"], ephemeralContainers=[{"name": "d", "image": "x"}]))
    order = [one.severity for one in found.findings]
    assert order == sorted(order, key=[Severity.ERROR, Severity.WARNING, Severity.INFO].index)
    assert found.findings[0].id == "POD-EPHEMERAL"


def test_a_file_without_pods_is_refused() -> None:
    with pytest.raises(KatauiError, match="no pod"):
        _audit("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")


def test_hostile_names_are_made_fit_to_show() -> None:
    found = _audit(manifest(images=["a\u202eb\u0007"]))
    assert not any(sign in one.message for one in found.findings for sign in "\u202e\u0007")
