"""Publishing: the steps as they are told, and what happens when one of them fails."""

import base64
import json
import os
import shlex
from pathlib import Path

import pytest

from kataui.errors import ExitStatus, KatauiError, NotPossibleHere
from kataui.pods.broker import Broker, Upload, parse_broker, send
from kataui.pods.publish import OtherDigest, Place, Plan, PublishFailed, plan, publish
from kataui.progress import Control
from tests.images.protecting import entries_of
from tests.pods import brokers
from tests.pods.parcels import packed, prepared, unpacked

TOKEN = "an admin's token"  # not a secret of anybody


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory, keys) -> Path:
    """A prepared pod; the tests only read it."""
    return prepared(tmp_path_factory.mktemp("pod"), keys)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch) -> Path:
    """An empty folder of programs, which are the only ones here."""
    place = tmp_path / "tools"
    place.mkdir()
    monkeypatch.setenv("PATH", str(place))
    return place


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


def _program(place: Path, name: str, text: str) -> None:
    (place / name).write_text(f"#!/bin/sh\n{text}\n")
    (place / name).chmod(0o755)


def _plan(pod: Path, place: Place | None = None) -> Plan:
    return plan(pod, place or Place(), control=Control())


def test_every_image_and_signature_is_pushed_and_asked_back(pod, tools) -> None:
    made = _plan(pod)
    assert made.hosts == ("registry.example.org",)
    assert len(made.steps) == 8
    for name in ("app", "sidecar"):
        layout = pod / "images" / name
        entries = {e["annotations"]["org.opencontainers.image.ref.name"]: e["digest"]
                   for e in entries_of(layout)}  # fmt: skip
        for tag, digest in entries.items():
            target = f"docker://registry.example.org/team/{name}:{tag}"
            push = next(one for one in made.steps if one.words[-1] == target and not one.digest)
            check = next(one for one in made.steps if one.words[-1] == target and one.digest)
            copy = ["skopeo", "--insecure-policy", "copy", "--all", "--preserve-digests"]
            assert list(push.words[:5]) == copy
            assert push.words[-2] == f"oci:{layout}:{tag}"
            assert check.digest == digest
            assert check.words[:3] == ("skopeo", "inspect", "--raw")
            assert shlex.split(push.command) == list(push.words)
            assert "tls-verify" not in push.command


def test_another_registry_is_told_with_what_it_means(pod, tools) -> None:
    made = _plan(pod, Place("127.0.0.1:5000"))
    assert made.hosts == ("127.0.0.1:5000",)
    assert all("docker://127.0.0.1:5000/team/" in step.command for step in made.steps)
    assert all("tls-verify=false" in step.command for step in made.steps)
    assert "The signatures name the registry" in made.notes[0]
    with pytest.raises(KatauiError):
        _plan(pod, Place("no registry/"))


def test_only_what_the_lock_pins_is_published(pod, tmp_path, keys) -> None:
    copy = tmp_path / "copy"
    unpacked(list(packed(pod, tmp_path / "x", keys).parts), copy, keys)
    (copy / "images" / "app").rename(tmp_path / "elsewhere")
    with pytest.raises(KatauiError, match="in the lock, but not in images/"):
        _plan(copy)
    (tmp_path / "bare").mkdir()
    with pytest.raises(KatauiError, match="is no prepared pod"):
        _plan(tmp_path / "bare")


def test_a_missing_program_is_told_before_the_first_step(pod, tools, token) -> None:
    with brokers.serve() as served:
        broker = Broker(served.url, str(token))
        made = _plan(pod, Place(broker=broker))
        with pytest.raises(NotPossibleHere, match="needs skopeo"):
            publish(made.steps, control=Control())
        assert served.asked == []


def test_a_step_that_fails_stops_and_tells_what_was_done(pod, tools) -> None:
    _program(tools, "skopeo", 'echo \'time="x" level=fatal msg="no route to host"\' >&2; exit 1')
    done = []
    with pytest.raises(PublishFailed, match=r"Step 1 of 8 failed: .*no route to host") as error:
        publish(_plan(pod).steps, control=Control(), told=done.append)
    assert (done, error.value.done) == ([], 0)
    assert "0 steps were done, 7 after it were not" in error.value.hint
    assert error.value.exit_status == ExitStatus.NOT_POSSIBLE


def test_another_digest_at_the_registry_fails(pod, tools) -> None:
    _program(tools, "skopeo", "printf '{}'")  # ends well whatever it is asked
    done = []
    with pytest.raises(OtherDigest, match="The registry has sha256:44136fa3") as error:
        publish(_plan(pod).steps, control=Control(), told=done.append)
    assert len(done) == 1
    assert error.value.exit_status == ExitStatus.FAIL


def test_rule_and_keys_go_to_the_broker_as_documented(pod, tools, token, keys) -> None:
    with brokers.serve() as served:
        broker = parse_broker(f"{served.url}/", str(token), insecure=False)
        steps = [one for one in _plan(pod, Place(broker=broker)).steps if one.upload]
        publish(steps, control=Control())
    rule, *resources = served.asked
    assert rule.path == "/kbs/v0/resource-policy"
    text = json.loads(rule.body)["policy"]
    assert (
        base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        == (pod / "kbs-policy.rego").read_bytes()
    )
    assert {one.path: one.body for one in resources} == {
        "/kbs/v0/resource/default/image-key/test": Path(keys.broker.partition("=")[2]).read_bytes(),
        "/kbs/v0/resource/default/cosign-key/1": (pod / "cosign.pub").read_bytes(),
    }
    assert {one.bearer for one in served.asked} == {f"Bearer {TOKEN}"}
    assert {one.kind for one in resources} == {"application/octet-stream"}


def test_kbs_client_is_used_when_it_is_here(pod, tools, token) -> None:
    _program(tools, "kbs-client", f'echo "$@" >> {tools}/log')
    broker = Broker("https://kbs.example:8080", str(token), "/certificate.pem")
    steps = [s for s in _plan(pod, Place(broker=broker)).steps if s.words[0] == "kbs-client"]
    publish(steps, control=Control())
    head = f"--url {broker.url} --cert-file /certificate.pem config --admin-token-file {token}"
    key = "default/image-key/test"
    lines = (tools / "log").read_text().splitlines()
    assert lines[0] == f"{head} set-resource-policy --policy-file {pod / 'kbs-policy.rego'}"
    assert f"{head} set-resource --path {key} --resource-file {pod / 'keys/kbs' / key}" in lines
    assert len(lines) == 3


def test_token_and_keys_are_in_no_step(pod, tools, token, keys) -> None:
    made = _plan(pod, Place(broker=Broker("https://kbs.example", str(token))))
    secret = Path(keys.broker.partition("=")[2]).read_bytes()
    told = repr(made) + "".join(step.command for step in made.steps)
    assert TOKEN not in told
    assert secret.hex() not in told
    assert "POST https://kbs.example/kbs/v0/resource/default/image-key/test" in told


@pytest.mark.parametrize("status", [201, 302, 401, 403, 500])
def test_any_answer_but_200_is_a_failure(tmp_path, token, status) -> None:
    (tmp_path / "key").write_bytes(b"the key")
    with brokers.serve() as served, brokers.serve() as other:
        served.status, served.location = status, f"{other.url}/kbs/v0/resource/a/b/c"
        with pytest.raises(KatauiError, match=f"answered {status}") as error:
            send(Upload(Broker(served.url, str(token)), tmp_path / "key", "a/b/c"))
        assert other.asked == []  # neither the token nor the key follows a redirection
    assert TOKEN not in f"{error.value!r}{error.value.hint}"


def test_a_broker_that_is_not_there_is_told(tmp_path, token) -> None:
    with brokers.serve() as served:
        pass
    (tmp_path / "key").write_bytes(b"x")
    with pytest.raises(KatauiError, match="cannot be reached: Connection refused"):
        send(Upload(Broker(served.url, str(token)), tmp_path / "key", "a/b/c"))


@pytest.mark.parametrize("data", [b"", b"\n", b"a\nb", b"\xff", b"a\r\nX-More: b"])
def test_a_token_is_one_line(tmp_path, data) -> None:
    for name in ("token", "key"):
        (tmp_path / name).write_bytes(data)
    broker = Broker("http://127.0.0.1:1", str(tmp_path / "token"))
    with pytest.raises(KatauiError, match="holds no token"):
        send(Upload(broker, tmp_path / "key", "a/b/c"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("kbs.example", "no address"),
        ("ftp://kbs.example", "no address"),
        ("https://", "no address"),
        ("https://[", "no address"),
        ("https://a:b", "no address"),
        ("https://a b", "no address"),
        ("https://a\n", "no address"),
        ("https://user:word@kbs.example", "must not have a name"),
        ("https://kbs.example/?a", "a query"),
        ("http://kbs.example", "readable on their way"),
        ("http://127.0.0.1.example", "readable on their way"),
    ],
)
def test_addresses_are_checked(url: str, words: str) -> None:
    with pytest.raises(KatauiError, match=words):
        parse_broker(url, "token", insecure=False)


def test_without_tls_only_here_or_when_allowed() -> None:
    for url in ("http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "https://a.b"):
        assert parse_broker(url, "token", insecure=False).url == url
    assert parse_broker("http://kbs.example/", "t", insecure=True).url == "http://kbs.example"
    with pytest.raises(KatauiError, match="needs its admin's token"):
        parse_broker("https://a.b", "", insecure=False)


def test_keys_that_did_not_travel_cannot_be_given(pod, tmp_path, token, keys) -> None:
    copy = tmp_path / "copy"
    unpacked(list(packed(pod, tmp_path / "x", keys).parts), copy, keys)
    with pytest.raises(KatauiError, match="keys do not travel in a parcel"):
        _plan(copy, Place(broker=Broker("https://kbs.example", str(token))))
    assert _plan(copy).steps  # its images can be published


def test_a_certificate_that_is_none_is_told(tmp_path, token) -> None:
    (tmp_path / "key").write_bytes(b"x")
    for path in (tmp_path / "absent", token):
        broker = Broker("https://127.0.0.1:1", str(token), str(path))
        with pytest.raises(KatauiError, match="is no certificate"):
            send(Upload(broker, tmp_path / "key", "a/b/c"))
    assert os.environ["PATH"]
