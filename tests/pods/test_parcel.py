"""Parcels: packed, split, carried on, left out, and verified on arrival."""

import json
import os
import stat
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.errors import Cancelled, DestinationProblem, ExitStatus, KatauiError
from kataui.findings import Verdict
from kataui.images.cosignkey import load_public_key
from kataui.images.signatures import PublicKey
from kataui.pods import parcellist
from kataui.pods.arrival import ArrivalFailed
from kataui.pods.compare import compare
from kataui.pods.inventory import make_inventory, read_inventory
from kataui.pods.lock import check_signature, read_lock
from kataui.pods.parcel import part_size
from kataui.pods.parcelread import PartsDamaged, PartsMissing, PartsWanted
from kataui.pods.read import pods_of, read_file
from kataui.progress import Control, Progress
from tests.pods.parcels import contents, flip, packed, prepared, public, unpacked

PART_BYTES = 200_000


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory, keys) -> Path:
    """A prepared pod; the tests only read it."""
    return prepared(tmp_path_factory.mktemp("pod"), keys)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files of all sizes, two of them the same, one to run and one private."""
    place = tmp_path / "folder"
    (place / "deep" / "er").mkdir(parents=True)
    (place / "big").write_bytes(os.urandom(700_000))
    (place / "deep" / "same").write_bytes((place / "big").read_bytes())
    (place / "deep" / "er" / "empty").write_bytes(b"")
    (place / "run.sh").write_text("#!/bin/sh\n")
    (place / "run.sh").chmod(0o755)
    (place / "private").write_text("x")
    (place / "private").chmod(0o600)
    return place


def test_a_prepared_pod_arrives_whole_and_proves_itself(pod: Path, tmp_path: Path, keys) -> None:
    made = packed(pod, tmp_path / "pod", keys)
    assert made.parts == (tmp_path / "pod.kataui-parcel",)
    got = unpacked(list(made.parts), tmp_path / "out", keys)
    assert got.arrival.verdict is Verdict.PASS
    assert contents(tmp_path / "out") == contents(pod)
    held = {(one.name, one.held) for one in got.arrival.checks}
    names = {"Parcel", "Files", "images/app", "images/sidecar", "Lock", "Manifest"}
    assert held == {(name, Verdict.PASS) for name in names}
    lock = read_lock(tmp_path / "out" / "podlock.json")
    signature = check_signature(lock, tmp_path / "out" / "podlock.json", public(keys))
    pods = pods_of(read_file(tmp_path / "out" / "manifest.yaml"))
    assert compare(lock, pods, signature).verdict is Verdict.PASS


def test_the_report_is_written_and_says_what_was_not_checked(pod, tmp_path, keys) -> None:
    made = packed(pod, tmp_path / "pod", keys)
    unpacked(list(made.parts), tmp_path / "out", keys)
    told = json.loads((tmp_path / "out" / "arrival.json").read_text())
    assert (told["format"], told["verdict"]) == ("kataui-arrival", "pass")
    page = (tmp_path / "out" / "arrival.html").read_text()
    assert told["sentence"] in page
    assert all(text in page for text in told["not_checked"])
    assert told["not_checked"]


def test_without_a_key_the_verdict_is_unknown(pod, tmp_path, keys) -> None:
    got = unpacked(list(packed(pod, tmp_path / "pod", keys).parts), tmp_path / "out")
    assert got.arrival.verdict is Verdict.UNKNOWN
    unchecked = {one.name for one in got.arrival.checks if one.held is Verdict.UNKNOWN}
    assert unchecked == {"Parcel", "images/app", "images/sidecar", "Lock"}


def test_another_key_or_no_signature_fails_and_leaves_nothing(pod, tmp_path, keys) -> None:
    signed, plain = packed(pod, tmp_path / "signed", keys), packed(pod, tmp_path / "plain")
    foreign = [PublicKey("foreign.pub", load_public_key(keys.foreign_pub))]
    with pytest.raises(KatauiError, match="is not signed") as error:
        unpacked(list(plain.parts), tmp_path / "out", keys)
    assert error.value.exit_status == ExitStatus.FAIL
    with pytest.raises(KatauiError, match="not valid for the given public keys"):
        unpacked(list(signed.parts), tmp_path / "out", public_keys=foreign)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "plain.kataui-parcel",
        "signed.kataui-parcel",
    ]


def test_secrets_are_never_packed(pod, tmp_path, keys) -> None:
    secret = Path(keys.broker.partition("=")[2]).read_bytes()
    made = packed(pod, tmp_path / "pod", keys)
    assert "keys/" in made.secret
    assert secret not in made.parts[0].read_bytes()


def test_a_private_key_elsewhere_is_left_out_and_told(folder, tmp_path, keys) -> None:
    (folder / "deep" / "mine.key").write_bytes(Path(keys.private).read_bytes())
    made = packed(folder, tmp_path / "x")
    assert made.secret == ("deep/mine.key",)
    unpacked(list(made.parts), tmp_path / "out")
    assert not (tmp_path / "out" / "deep" / "mine.key").exists()


def test_modes_and_shared_contents(folder, tmp_path) -> None:
    made = packed(folder, tmp_path / "x")
    assert made.size_bytes < 800_000  # what is there twice is packed once
    out = unpacked(list(made.parts), tmp_path / "out").out
    assert contents(out) == contents(folder)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()}
    assert (modes["run.sh"], modes["private"], modes["big"]) == (0o755, 0o600, 0o644)
    assert not list(tmp_path.glob(".out*"))


def test_the_same_folder_gives_the_same_bytes(folder, tmp_path, keys) -> None:
    first = packed(folder, tmp_path / "a" / "x", keys, part_bytes=PART_BYTES)
    again = packed(folder, tmp_path / "b" / "x", keys, part_bytes=PART_BYTES)
    assert [p.read_bytes() for p in first.parts] == [p.read_bytes() for p in again.parts]


def test_every_part_fits_its_medium_and_is_a_tar(folder, tmp_path, keys) -> None:
    made = packed(folder, tmp_path / "x", keys, part_bytes=PART_BYTES)
    assert len(made.parts) >= 4
    seen = []
    for number, path in enumerate(made.parts, 1):
        assert path.name == f"x.kataui-parcel.{number:03d}"
        assert path.stat().st_size <= PART_BYTES
        with tarfile.open(path) as tar:
            names = tar.getnames()
            assert {info.mtime for info in tar.getmembers()} == {0}
        assert names[:2] == ["parcel.json", "parcel.json.sigstore.json"]
        seen += names[2:]
    assert seen == [parcellist.piece_name(number) for number in range(len(seen))]


def test_damaged_and_missing_parts_are_named_and_the_rest_is_kept(folder, tmp_path) -> None:
    made = packed(folder, tmp_path / "x", part_bytes=PART_BYTES)
    good = made.parts[1].read_bytes()
    flip(made.parts[1], 100_000)
    gone = made.parts[3].rename(tmp_path / "elsewhere")
    with pytest.raises(PartsDamaged) as error:
        unpacked([made.parts[0]], tmp_path / "out")
    assert error.value.parts == (2, 4)
    assert f"{made.parts[1].name} is damaged" in error.value.message
    assert "part 4 is not here" in error.value.message
    assert not (tmp_path / "out").exists()
    made.parts[1].write_bytes(good)
    with pytest.raises(PartsMissing) as error:
        unpacked([made.parts[0]], tmp_path / "out")
    assert error.value.parts == (4,)
    assert error.value.exit_status == ExitStatus.NOT_POSSIBLE
    for path in (*made.parts[:3], *made.parts[4:]):
        path.unlink()  # each medium has been taken away
    unpacked([gone], tmp_path / "out")
    assert contents(tmp_path / "out") == contents(folder)
    assert not list(tmp_path.glob(".out*"))


def test_what_was_kept_is_checked_again(folder, tmp_path) -> None:
    made = packed(folder, tmp_path / "x", part_bytes=PART_BYTES)
    last = made.parts[-1].rename(tmp_path / "last")
    with pytest.raises(PartsMissing):
        unpacked([made.parts[0]], tmp_path / "out")
    kept = max((tmp_path / ".out.arriving").iterdir(), key=lambda path: path.stat().st_size)
    flip(kept, 10)
    made.parts[0].unlink()
    with pytest.raises(PartsWanted) as error:
        unpacked([last, made.parts[1]], tmp_path / "out")
    assert 1 in error.value.parts


def test_parts_of_two_parcels_do_not_mix(folder, tmp_path) -> None:
    made = packed(folder, tmp_path / "x", part_bytes=PART_BYTES)
    (folder / "big").write_bytes(os.urandom(700_000))
    (folder / "deep" / "same").unlink()
    other = packed(folder, tmp_path / "y", part_bytes=PART_BYTES)
    other.parts[1].replace(made.parts[1])
    with pytest.raises(PartsDamaged, match="belongs to another parcel") as error:
        unpacked([made.parts[0]], tmp_path / "out")
    assert error.value.parts == (2,)
    assert not (tmp_path / "out").exists()


def test_a_parcel_that_is_cut_short_is_told(folder, tmp_path) -> None:
    made = packed(folder, tmp_path / "x")
    whole = made.parts[0].read_bytes()
    for size in (100, 512, 700, 5000, len(whole) - 2000):
        made.parts[0].write_bytes(whole[:size])
        with pytest.raises(KatauiError) as error:
            unpacked(list(made.parts), tmp_path / "out")
        assert made.parts[0].name in error.value.message
        assert not (tmp_path / "out").exists()
    made.parts[0].write_bytes(whole)
    unpacked(list(made.parts), tmp_path / "out")


def test_packing_goes_on_where_it_stopped(folder, tmp_path) -> None:
    control = Control(lambda progress: _stop_at(progress, control, "Writing part 3"), interval_s=0)
    with pytest.raises(Cancelled, match="2 of 5 parts are whole"):
        packed(folder, tmp_path / "x", part_bytes=PART_BYTES, control=control)
    names = sorted(path.name for path in tmp_path.glob("*.kataui-parcel*"))
    assert names == ["x.kataui-parcel.001", "x.kataui-parcel.002"]
    assert not list(tmp_path.glob(".x*"))
    before = (tmp_path / names[0]).stat().st_ino
    made = packed(folder, tmp_path / "x", part_bytes=PART_BYTES)
    assert made.kept == 2
    assert (tmp_path / names[0]).stat().st_ino == before
    unpacked([made.parts[0]], tmp_path / "out")


def _stop_at(progress: Progress, control: Control, step: str) -> None:
    if progress.step.startswith(step):
        control.cancel()


def test_unpacking_goes_on_where_it_was_cancelled(folder, tmp_path) -> None:
    made = packed(folder, tmp_path / "x", part_bytes=PART_BYTES)
    control = Control(lambda progress: _stop_at(progress, control, "Unpacking x"), interval_s=0)
    with pytest.raises(Cancelled, match="was verified is kept"):
        unpacked([made.parts[0]], tmp_path / "out", control=control)
    assert not (tmp_path / "out").exists()
    unpacked([made.parts[0]], tmp_path / "out")
    assert contents(tmp_path / "out") == contents(folder)


def test_what_is_there_stays(folder, tmp_path) -> None:
    made = packed(folder, tmp_path / "x")
    assert packed(folder, tmp_path / "x").kept == 1
    made.parts[0].write_bytes(b"mine")
    with pytest.raises(DestinationProblem, match="is there already"):
        packed(folder, tmp_path / "x")
    assert made.parts[0].read_bytes() == b"mine"
    packed(folder, tmp_path / "x", force=True)
    (tmp_path / "out").mkdir()
    with pytest.raises(DestinationProblem, match="is there already"):
        unpacked(list(made.parts), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_blobs_that_the_far_side_has_are_left_out_and_taken_from_there(pod, tmp_path, keys) -> None:
    far = tmp_path / "far"
    first = packed(pod, tmp_path / "first", keys)
    unpacked(list(first.parts), far, keys)
    data = make_inventory([far], Control())
    (tmp_path / "have.json").write_bytes(data)
    have = read_inventory(tmp_path / "have.json")
    second = packed(pod, tmp_path / "second", keys, have=have)
    blobs = {path.name for path in pod.glob("images/*/blobs/sha256/*")}
    assert have == blobs
    assert second.left_out == len(blobs)
    assert second.size_bytes < first.size_bytes / 2
    with pytest.raises(KatauiError, match=f"leaves out {len(blobs)} blobs") as error:
        unpacked(list(second.parts), tmp_path / "out", keys)
    assert error.value.exit_status == ExitStatus.NOT_POSSIBLE
    assert min(blobs) in error.value.message
    got = unpacked(list(second.parts), tmp_path / "out", keys, have=[far])
    assert got.arrival.verdict is Verdict.PASS
    assert contents(tmp_path / "out") == contents(pod)


def test_a_damaged_blob_of_the_far_side_is_not_taken(pod, tmp_path, keys) -> None:
    far = tmp_path / "far"
    unpacked(list(packed(pod, tmp_path / "first", keys).parts), far, keys)
    blob = max(far.glob("images/*/blobs/sha256/*"), key=lambda path: path.stat().st_size)
    have = frozenset({blob.name})
    second = packed(pod, tmp_path / "second", keys, have=have)
    blob.write_bytes(b"x" + blob.read_bytes()[1:])
    with pytest.raises(KatauiError, match=blob.name):
        unpacked(list(second.parts), tmp_path / "out", keys, have=[far])
    assert blob.name not in make_inventory([far], Control()).decode()
    assert not (tmp_path / "out").exists()


def test_an_image_that_was_wrong_when_packed_fails_on_arrival(pod, tmp_path, keys) -> None:
    copy = tmp_path / "copy"
    unpacked(list(packed(pod, tmp_path / "first", keys).parts), copy, keys)
    blob = max(copy.glob("images/*/blobs/sha256/*"), key=lambda path: path.stat().st_size)
    data = blob.read_bytes()
    blob.unlink()
    blob.write_bytes(b"x" + data[1:])
    second = packed(copy, tmp_path / "second", keys)
    with pytest.raises(ArrivalFailed, match="not what was prepared") as error:
        unpacked(list(second.parts), tmp_path / "out", keys)
    assert error.value.arrival.verdict is Verdict.FAIL
    assert not (tmp_path / "out").exists()


def test_a_manifest_that_the_lock_does_not_know_fails(pod, tmp_path, keys) -> None:
    copy = tmp_path / "copy"
    unpacked(list(packed(pod, tmp_path / "first", keys).parts), copy, keys)
    path = copy / "manifest.yaml"
    text = path.read_text().replace('"containers": [', '"containers": [{"name":"spy"},', 1)
    path.unlink()
    path.write_text(text)
    with pytest.raises(ArrivalFailed, match=r"Manifest: .*1 pushed in"):
        unpacked(list(packed(copy, tmp_path / "x", keys).parts), tmp_path / "out", keys)


def test_links_devices_and_nothing_are_refused(tmp_path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(KatauiError, match="nothing to pack"):
        packed(place, tmp_path / "x")
    (place / "link").symlink_to("/etc/passwd")
    with pytest.raises(KatauiError, match="link is a link"):
        packed(place, tmp_path / "x")
    (place / "link").unlink()
    os.mkfifo(place / "pipe")
    with pytest.raises(KatauiError, match="pipe is a link or no file"):
        packed(place, tmp_path / "x")
    with pytest.raises(KatauiError, match="is no folder"):
        packed(tmp_path / "absent", tmp_path / "x")
    assert not list(tmp_path.glob("*.kataui-parcel*"))


def test_a_parcel_does_not_lie_in_what_it_is_made_of(folder) -> None:
    with pytest.raises(DestinationProblem, match="would lie in"):
        packed(folder, folder / "x")


@pytest.mark.parametrize("size", [0, -5, 1000, 70_000])
def test_parts_that_are_too_small_are_refused(pod, tmp_path, keys, size) -> None:
    (tmp_path / "many").mkdir()
    for number in range(800):
        (tmp_path / "many" / f"{number:04}").write_text(str(number))
    with pytest.raises(KatauiError, match="too small"):
        packed(tmp_path / "many", tmp_path / "x", part_bytes=size)
    assert not list(tmp_path.glob("*.kataui-parcel*"))


def test_sizes_are_written_as_on_the_medium() -> None:
    assert part_size("4.7GB") == 4_700_000_000
    assert part_size(" 700M ") == 700_000_000
    assert part_size("4Gi") == 4 << 30
    with pytest.raises(KatauiError):
        part_size("a DVD")


def test_the_date_is_that_of_the_newest_file_or_as_asked(folder, tmp_path, monkeypatch) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    packed(folder, tmp_path / "x")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    packed(folder, tmp_path / "y")
    for name, date in (("x", "2001-09-09T01:46:40"), ("y", "1970-01-02T00:00:00")):
        with (tmp_path / f"{name}.kataui-parcel").open("rb") as stream:
            assert date in parcellist.read_head(stream, name).data.decode()


@settings(max_examples=25, deadline=None)
@given(
    files=st.dictionaries(
        st.text("abé ü/.", min_size=1, max_size=12).filter(parcellist.is_inside),
        st.binary(max_size=200_000),
        min_size=1,
        max_size=8,
    ),
    part_bytes=st.sampled_from([None, 80_000, 150_000]),
)
def test_any_folder_goes_round(tmp_path_factory, files, part_bytes) -> None:
    tmp = tmp_path_factory.mktemp("round")
    for name, data in files.items():
        path = tmp / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True) if not _blocked(path, tmp) else None
        if not _blocked(path, tmp) and not path.is_dir():
            path.write_bytes(data)
    made = packed(tmp / "in", tmp / "x", part_bytes=part_bytes)
    unpacked([made.parts[0]], tmp / "out")
    assert contents(tmp / "out") == contents(tmp / "in")


def _blocked(path: Path, end: Path) -> bool:
    """Whether one of its folders is a file already."""
    return any(one.is_file() for one in path.parents if one.is_relative_to(end))
