"""A prepared pod carried in parts and published, with cosign, skopeo and tar of others."""

import json
import subprocess
from pathlib import Path

import pytest

from kataui.errors import IntegrityError
from kataui.findings import Verdict
from kataui.pods.broker import parse_broker
from kataui.pods.compare import compare
from kataui.pods.lock import check_signature, read_lock
from kataui.pods.parcelread import PartsDamaged
from kataui.pods.publish import OtherDigest, Place, PublishFailed, plan, publish
from kataui.pods.read import pods_of, read_file
from kataui.progress import Control
from tests.images.protecting import image_entry
from tests.interop.registries import serve
from tests.interop.test_signature_peers import tool
from tests.pods import brokers
from tests.pods.parcels import NAMES, flip, packed, prepared, public, unpacked

pytestmark = pytest.mark.interop
PART_BYTES = 120_000


def _done(argv: list[str]) -> subprocess.CompletedProcess[str]:
    done = tool(argv)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def skopeo(tmp_path: Path, peer, monkeypatch) -> str:
    """skopeo under its own name on PATH, as publishing asks for it."""
    place = tmp_path / "bin"
    place.mkdir()
    (place / "skopeo").symlink_to(peer("skopeo122"))
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    return str(place / "skopeo")


def test_a_pod_is_carried_in_parts_of_which_one_is_damaged(tmp_path: Path, keys, peer) -> None:
    pod = prepared(tmp_path, keys)
    made = packed(pod, tmp_path / "stick" / "pod", keys, part_bytes=PART_BYTES)
    assert len(made.parts) > 2
    good = made.parts[1].read_bytes()
    flip(made.parts[1], 90_000)
    with pytest.raises(PartsDamaged, match=made.parts[1].name) as error:
        unpacked([made.parts[0]], tmp_path / "out", keys)
    assert error.value.parts == (2,)
    made.parts[1].write_bytes(good)
    got = unpacked([made.parts[0]], tmp_path / "out", keys)
    assert got.arrival.verdict is Verdict.PASS
    lock = read_lock(got.out / "podlock.json")
    signature = check_signature(lock, got.out / "podlock.json", public(keys))
    pods = pods_of(read_file(got.out / "manifest.yaml"))
    assert compare(lock, pods, signature).verdict is Verdict.PASS
    flags = ["--insecure-ignore-tlog=true", "--local-image"]
    for name in NAMES:
        key = str(keys.sign_pub)
        _done([peer("cosign3"), "verify", "--key", key, *flags, str(got.out / "images" / name)])


def test_cosign_verifies_the_list_that_tar_takes_out(tmp_path: Path, keys, peer) -> None:
    made = packed(prepared(tmp_path, keys), tmp_path / "pod", keys, part_bytes=PART_BYTES)
    for number, path in enumerate(made.parts):
        place = tmp_path / f"taken{number}"
        place.mkdir()
        _done(["tar", "-xf", str(path), "-C", str(place)])
        assert (place / "pieces").is_dir()
        argv = [peer("cosign3"), "verify-blob", "--insecure-ignore-tlog"]
        argv += ["--bundle", str(place / "parcel.json.sigstore.json"), str(place / "parcel.json")]
        _done([*argv[:2], "--key", str(keys.sign_pub), *argv[2:]])
        assert tool([*argv[:2], "--key", str(keys.foreign_pub), *argv[2:]]).returncode != 0
        (place / "parcel.json").write_text("{}")
        assert tool([*argv[:2], "--key", str(keys.sign_pub), *argv[2:]]).returncode != 0


def test_pieces_in_their_order_are_the_files(tmp_path: Path) -> None:
    """As somebody without kataui would do it."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / name).write_bytes(name.encode() * 30_000)
    made = packed(folder, tmp_path / "x", part_bytes=70_000)
    assert len(made.parts) > 1
    for path in made.parts:
        _done(["tar", "-xf", str(path), "-C", str(tmp_path)])
    whole = b"".join(path.read_bytes() for path in sorted((tmp_path / "pieces").iterdir()))
    begin = 0
    for entry in json.loads((tmp_path / "parcel.json").read_text())["files"]:
        end = begin + entry["size"]
        assert whole[begin:end] == (folder / entry["path"]).read_bytes()
        begin = end
    assert begin == len(whole)


def test_a_pod_is_published_pulled_and_verified(tmp_path: Path, keys, peer, skopeo: str) -> None:
    (tmp_path / "token").write_text("the token")
    with serve(peer("crane"), tmp_path / "registry") as registry, brokers.serve() as kbs:
        pod = prepared(tmp_path, keys, registry=registry)
        broker = parse_broker(kbs.url, str(tmp_path / "token"), insecure=False)
        made = plan(pod, Place(broker=broker), control=Control())
        done = []
        publish(made.steps, control=Control(), told=done.append)
        assert done == list(made.steps)
        publish(made.steps, control=Control())  # once more does no harm
        flags = ["--insecure-ignore-tlog=true", "--allow-http-registry"]
        for name in NAMES:
            digest = image_entry(pod / "images" / name)["digest"]
            pin = f"{registry}/team/{name}@{digest}"
            assert pin in (pod / "manifest.yaml").read_text()
            _done([peer("cosign3"), "verify", "--key", str(keys.sign_pub), *flags, pin])
            target = f"oci:{tmp_path / f'pulled-{name}'}:1"
            words = [skopeo, "--insecure-policy", "copy", "--src-tls-verify=false"]
            _done([*words, "--preserve-digests", f"docker://{pin}", target])
            assert image_entry(tmp_path / f"pulled-{name}")["digest"] == digest
    paths = {one.path for one in kbs.asked}
    assert paths == {
        "/kbs/v0/resource-policy",
        "/kbs/v0/resource/default/image-key/test",
        "/kbs/v0/resource/default/cosign-key/1",
    }


def test_what_arrived_in_a_parcel_can_be_published_to_another_registry(
    tmp_path: Path, keys, peer, skopeo: str
) -> None:
    pod = prepared(tmp_path, keys)
    far = unpacked(list(packed(pod, tmp_path / "p", keys).parts), tmp_path / "far", keys).out
    with serve(peer("crane"), tmp_path / "registry") as registry:
        made = plan(far, Place(registry), control=Control())
        publish(made.steps, control=Control())
        inspect = [skopeo, "inspect", "--raw", "--tls-verify=false"]
        name = f"docker://{registry}/team/app@{image_entry(pod / 'images' / 'app')['digest']}"
        _done([*inspect, name])


def test_a_registry_that_gives_another_image_is_found(
    tmp_path: Path, keys, peer, skopeo: str
) -> None:
    with serve(peer("crane"), tmp_path / "registry") as registry:
        pod = prepared(tmp_path, keys, registry=registry)
        pushes = plan(pod, Place(), control=Control()).steps
        publish(pushes[:2], control=Control())
        plain = f"oci:{tmp_path / 'images' / 'sidecar_1'}:1"
        words = [skopeo, "--insecure-policy", "copy", "--dest-tls-verify=false", plain]
        _done([*words, pushes[0].words[-2]])
        with pytest.raises(OtherDigest, match="The registry has") as error:
            publish(pushes[1:2], control=Control())
        assert isinstance(error.value, IntegrityError)


def test_a_registry_that_is_not_there_stops_at_the_first_step(
    tmp_path: Path, keys, skopeo: str
) -> None:
    pod = prepared(tmp_path, keys, registry="127.0.0.1:9")
    with pytest.raises(PublishFailed, match=r"Step 1 of 8 failed: .*connection refused") as error:
        publish(plan(pod, Place(), control=Control()).steps, control=Control())
    assert "7 after it were not" in error.value.hint
