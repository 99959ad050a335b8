"""Images built from folders, files, tars and bases, read back with the standard library."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from kataui.errors import (
    Cancelled,
    DestinationProblem,
    ImageError,
    IntegrityError,
    KatauiError,
    NotPossibleHere,
)
from kataui.images.base import find_base, select_layers
from kataui.images.build import Addition, BuildAnswers, build, problems
from kataui.images.history import short_name
from kataui.images.open import open_source
from kataui.progress import Control
from tests.images import builders
from tests.images.builders import tiny_docker_archive, tiny_layout
from tests.images.building import OLD_S, config_of, made, make_rootfs, members, only, plain_layers

EPOCH_S = 1_600_000_000


@pytest.fixture(autouse=True)
def _no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    return make_rootfs(tmp_path / "rootfs")


def test_same_inputs_and_epoch_give_the_same_digest(
    tmp_path: Path, rootfs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH_S))
    copy = tmp_path / "copy"
    shutil.copytree(rootfs / "var", copy / "var", symlinks=True, ignore=lambda *_: ["pipe"])
    (rootfs / "var" / "pipe").unlink()
    answers = {"remove": ("/etc/x",), "labels": (("a", "b"),), "env": ("A=1",)}
    base = str(tiny_layout(tmp_path / "base"))

    one = made(tmp_path, base=base, add=(Addition(str(rootfs / "var"), "/v"),), **answers)
    two = made(
        tmp_path,
        base=base,
        add=(Addition(str(copy / "var"), "/v"),),
        destination=str(tmp_path / "two"),
        **answers,
    )

    assert one.digest == two.digest
    assert config_of(one.path)["created"] == "2020-09-13T12:26:40Z"


def test_epoch_clamps_later_times_only(
    tmp_path: Path, rootfs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH_S))

    found = members(plain_layers(made(tmp_path, rootfs=str(rootfs)).path)[0])

    assert found["var/data"].mtime == pytest.approx(OLD_S + 0.12345678, abs=1e-7)
    assert found["bin/same"].mtime == EPOCH_S
    assert max(member.mtime for member in found.values()) == EPOCH_S


@pytest.mark.parametrize("text", ["yesterday", "-1", "1.5", "٣", "253402300800", "9" * 5000])
def test_malformed_epoch_is_refused(
    tmp_path: Path, rootfs: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", text)

    with pytest.raises(KatauiError, match="SOURCE_DATE_EPOCH is"):
        made(tmp_path, rootfs=str(rootfs))

    assert not (tmp_path / "made").exists()


def test_settings_replace_those_of_the_base(tmp_path: Path) -> None:
    base = tiny_layout(tmp_path / "base", env=("A=old", "B=2"), labels={"x": "1", "y": "1"})

    built = made(
        tmp_path,
        base=str(base),
        entrypoint=("/app", "--now"),
        env=("A=new", "C=3", "C=4"),
        user="10001",
        working_dir="/srv",
        labels=(("y", "2"),),
    )

    runs = config_of(built.path)["config"]
    assert runs == {
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "B=2", "A=new", "C=4"],
        "Labels": {"x": "1", "y": "2"},
        "User": "10001",
        "WorkingDir": "/srv",
        "Entrypoint": ["/app", "--now"],
    }
    assert "new" not in json.dumps(config_of(built.path)["history"])


def test_command_stays_when_only_other_settings_change(tmp_path: Path) -> None:
    built = made(tmp_path, base=str(tiny_layout(tmp_path / "base")), user="1")

    assert config_of(built.path)["config"]["Cmd"] == ["/bin/sh"]


def test_base_layers_stay_and_are_found_again(tmp_path: Path, rootfs: Path) -> None:
    base = tiny_layout(tmp_path / "private" / "base")

    built = made(tmp_path, base=str(base), add=(Addition(str(rootfs), "/app"),), command=("x",))

    assert built.layers == 4
    with open_source(str(base)) as below, open_source(str(built.path)) as source:
        image = only(source)
        kept = [layer.descriptor for layer in image.layers[:3]]
        assert kept == [layer.descriptor for layer in only(below).layers]
        assert dict(image.annotations) == {
            "org.opencontainers.image.base.digest": str(only(below).digest),
            "org.opencontainers.image.base.name": "base:1",
        }
        assert select_layers("above-base", image, find_base(image, str(base))) == (3,)
        assert short_name(image.layers[3].command, 3) == "Files in /app"


def test_image_is_recognised_as_base_of_the_next(tmp_path: Path, rootfs: Path) -> None:
    below = made(tmp_path, rootfs=str(rootfs), command=("/bin/tool",))

    above = made(
        tmp_path,
        base=str(below.path),
        add=(Addition(str(rootfs / "var"), "/v"),),
        destination=str(tmp_path / "above"),
    )

    with open_source(str(above.path)) as source:
        found = find_base(only(source))
        assert (found.count, found.guessed) == (1, True)
        assert short_name(only(source).layers[0].command, 0) == "Base files"


def test_docker_base_becomes_an_oci_image(tmp_path: Path) -> None:
    base = tiny_docker_archive(tmp_path / "saved.tar")

    built = made(tmp_path, base=str(base), env=("A=1",))

    with open_source(str(built.path)) as source:
        types = {layer.descriptor.media_type for layer in only(source).layers}
    assert types == {"application/vnd.oci.image.layer.v1.tar+gzip"}
    assert len(plain_layers(built.path)) == 3


def test_history_of_a_base_without_one_is_filled(tmp_path: Path, rootfs: Path) -> None:
    base = tiny_layout(tmp_path / "base", history=[])

    built = made(tmp_path, base=str(base), add=(Addition(str(rootfs), "/app"),))

    with open_source(str(built.path)) as source:
        commands = [layer.command for layer in only(source).layers]
    assert commands == ["a layer of the base"] * 3 + ["COPY rootfs /app"]


def test_damaged_base_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    base = tiny_layout(tmp_path / "base")
    with open_source(str(base)) as source:
        blob = base / "blobs" / "sha256" / only(source).layers[1].descriptor.digest.hex
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")

    with pytest.raises(IntegrityError):
        made(tmp_path, base=str(base), env=("A=1",))

    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_encrypted_base_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encrypted = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"
    monkeypatch.setitem(builders.LAYER_TYPES, "gzip", encrypted)
    base = tiny_layout(tmp_path / "base")

    with pytest.raises(ImageError, match="base is encrypted"):
        made(tmp_path, base=str(base), env=("A=1",))


def test_platform_of_an_index_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = str(tiny_layout(tmp_path / "base", platforms=("linux/s390x", "linux/arm64/v8")))

    asked = made(tmp_path, base=base, platform="linux/arm64", env=("A=1",))
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    ours = made(tmp_path, base=base, destination=str(tmp_path / "ours"), env=("A=1",))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")

    for built in (asked, ours):
        config = config_of(built.path)
        assert (config["architecture"], config["variant"]) == ("arm64", "v8")
    with pytest.raises(ImageError, match="several platforms: linux/s390x, linux/arm64/v8"):
        made(tmp_path, base=base, destination=str(tmp_path / "b"), env=("A=1",))
    with pytest.raises(ImageError, match="no whole image for linux/amd64"):
        made(tmp_path, base=base, destination=str(tmp_path / "b"), platform="linux/amd64")


def test_platform_is_told_without_a_base(tmp_path: Path, rootfs: Path) -> None:
    config = config_of(made(tmp_path, rootfs=str(rootfs), platform="linux/arm/v7").path)

    assert (config["os"], config["architecture"], config["variant"]) == ("linux", "arm", "v7")


def test_removal_is_a_whiteout_below_what_is_added(tmp_path: Path, rootfs: Path) -> None:
    base = tiny_layout(tmp_path / "base")

    built = made(
        tmp_path,
        base=str(base),
        remove=("/etc/passwd", "/app"),
        add=(Addition(str(rootfs / "var" / "data"), "/app/data"),),
    )

    removed, added = (members(tar) for tar in plain_layers(built.path)[3:])
    assert {name: info.size for name, info in removed.items()} == {
        ".wh.app": 0,
        "etc/.wh.passwd": 0,
    }
    assert list(added) == ["app/data"]


def test_unreadable_source_is_told(tmp_path: Path, rootfs: Path) -> None:
    loop = tmp_path / "loop"
    loop.mkdir()
    answers = BuildAnswers(str(tmp_path / "made"), rootfs=str(rootfs))
    for missing in ("gone", "a\0b", "x" * 5000, "loop/self"):
        (loop / "self").unlink(missing_ok=True)
        (loop / "self").symlink_to("self")
        with pytest.raises(ImageError, match="There is no"):
            made(tmp_path, add=(Addition(str(tmp_path / missing), "/x"),))
    assert problems(answers) == ()


def test_existing_destination_needs_force(tmp_path: Path, rootfs: Path) -> None:
    first = made(tmp_path, rootfs=str(rootfs))

    with pytest.raises(DestinationProblem, match="exists already"):
        made(tmp_path, rootfs=str(rootfs), env=("A=1",))
    second = made(tmp_path, base=str(first.path), env=("A=1",), force=True)

    assert first.path == second.path
    assert "A=1" in config_of(second.path)["config"]["Env"]


def test_archive_and_tag_are_written(tmp_path: Path, rootfs: Path) -> None:
    place = f"oci-archive:{tmp_path / 'made.tar'}:v1"

    built = made(tmp_path, rootfs=str(rootfs), destination=place)

    with open_source(place) as source:
        assert (source.tag, built.tag, source.root.digest) == ("v1", "v1", built.digest)


def test_image_is_not_written_into_what_it_holds(tmp_path: Path, rootfs: Path) -> None:
    with pytest.raises(DestinationProblem, match="goes into the image"):
        made(tmp_path, rootfs=str(rootfs), destination=str(rootfs / "sub" / "image"))


def test_cancelled_build_leaves_nothing(tmp_path: Path, rootfs: Path) -> None:
    control = Control(lambda _: control.cancel())

    with pytest.raises(Cancelled):
        build(BuildAnswers(str(tmp_path / "made"), rootfs=str(rootfs)), control)

    assert [path.name for path in tmp_path.iterdir()] == ["rootfs"]


@pytest.mark.parametrize(
    ("field", "answers"),
    [
        ("destination", {"destination": ""}),
        ("destination", {"destination": "docker-archive:x"}),
        ("platform", {"platform": "linux"}),
        ("platform", {"platform": "all"}),
        ("platform", {"platform": "linux/amd64,linux/arm64"}),
        ("rootfs", {"rootfs": ""}),
        ("rootfs", {"rootfs": "/nowhere"}),
        ("rootfs", {"base": "b"}),
        ("containerfile", {"rootfs": "", "containerfile": "/nowhere"}),
        ("containerfile", {"containerfile": "."}),
        ("containerfile", {"context": "."}),
        ("add", {"add": (Addition("/nowhere", "/x"),)}),
        ("add", {"add": (Addition(".", "x"),)}),
        ("add", {"add": (Addition(".", "/x/../y"),)}),
        ("add", {"add": (Addition(".", "/.wh.x"),)}),
        ("add", {"add": (Addition(".", "/x", "me"),)}),
        ("remove", {"remove": ("/",)}),
        ("remove", {"remove": ("etc",)}),
        ("remove", {"remove": ("/a/../b",)}),
        ("remove", {"remove": ("/a/.wh..wh..opq",)}),
        ("env", {"env": ("A",)}),
        ("env", {"env": ("=A",)}),
        ("env", {"env": ("A=\udcff",)}),
        ("labels", {"labels": (("", "x"),)}),
        ("working_dir", {"working_dir": "srv"}),
        ("user", {"user": "a\0"}),
        ("entrypoint", {"entrypoint": ("\udcff",)}),
        ("command", {"command": ("\0",)}),
    ],
)
def test_wrong_answer_is_told_at_its_field(
    tmp_path: Path, rootfs: Path, field: str, answers: dict[str, Any]
) -> None:
    good = {"destination": str(tmp_path / "made"), "rootfs": str(rootfs)}
    wrong = BuildAnswers(**{**good, **answers})

    assert problems(BuildAnswers(**good)) == ()
    assert field in [problem.field for problem in problems(wrong)]
    with pytest.raises(KatauiError):
        build(wrong, Control())


def test_containerfile_without_buildah_is_refused_with_its_install_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Containerfile").write_text("FROM scratch\n")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotPossibleHere, match="needs buildah") as caught:
        made(tmp_path, containerfile=str(tmp_path / "Containerfile"))

    assert "install" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["Containerfile"]
