import json
import os
from pathlib import Path
from typing import Any

import pytest

from kataui.errors import ImageError, IntegrityError, KatauiError
from kataui.findings import Severity
from kataui.images.model import OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST, REF_NAME, Digest
from kataui.images.open import open_source
from kataui.images.source import Source, Transport
from tests.images.builders import (
    config_json,
    pack,
    put,
    put_image,
    put_json,
    three_layers,
    tiny_dir,
    tiny_docker_archive,
    tiny_layout,
    tiny_oci_archive,
    write_layout,
)

TWO = ("linux/amd64", "linux/arm64/v8")


def stored(source: Source, digest: Digest) -> bytes:
    with source.blobs.open(digest) as stream:
        return stream.read()


def platforms(source: Source) -> list[str]:
    return [str(image.config.platform) for image in source.images]


def entries(folder: Path) -> list[dict[str, Any]]:
    index: dict[str, Any] = json.loads((folder / "index.json").read_text())
    found: list[dict[str, Any]] = index["manifests"]
    return found


def blob(folder: Path, digest: str) -> Path:
    return folder / "blobs" / "sha256" / digest.removeprefix("sha256:")


def blob_json(folder: Path, digest: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(blob(folder, digest).read_bytes())
    return value


def reindex(folder: Path, manifest: dict[str, Any], media_type: str = OCI_MANIFEST) -> Path:
    """Make ``manifest`` the only thing in the layout, correctly hashed."""
    return write_layout(folder, [put_json(folder, manifest, media_type)])


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_layout_is_opened_with_all_its_layers(tmp_path: Path, compression: str) -> None:
    layout = tiny_layout(tmp_path / "img", compression=compression, env=["A=b"])

    with open_source(str(layout)) as source:
        (image,) = source.images
        sizes = [len(stored(source, layer.descriptor.digest)) for layer in image.layers]

    assert (source.transport, source.tag, source.is_index) == (Transport.OCI, "1", False)
    assert [layer.diff_id for layer in image.layers] == [Digest.of(x) for x in three_layers()]
    assert sizes == [x.descriptor.size_bytes for x in image.layers]
    assert image.layers[1].command == "COPY part1 /part1"
    assert image.config.environment[1] == "A=b"
    assert source.findings == ()


@pytest.mark.parametrize("kind", ["layout", "oci-archive", "docker-archive", "dir"])
def test_each_kind_is_recognised_by_content(tmp_path: Path, kind: str) -> None:
    make = {
        "layout": tiny_layout,
        "oci-archive": tiny_oci_archive,
        "docker-archive": tiny_docker_archive,
        "dir": tiny_dir,
    }[kind]

    with open_source(str(make(tmp_path / "img"))) as source:
        assert source.transport == ("oci" if kind == "layout" else kind)
        assert [layer.diff_id for layer in source.images[0].layers] == [
            Digest.of(data) for data in three_layers()
        ]
        for layer in source.images[0].layers:
            data = stored(source, layer.descriptor.digest)
            assert Digest.of(data) == layer.descriptor.digest
            assert source.blobs.size_bytes(layer.descriptor.digest) == len(data)
        assert source.images[0].layers[0].descriptor.digest in set(source.blobs.digests())
        assert not source.blobs.has(Digest.of(b"not there"))


def test_prefix_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    layout = tiny_layout(tmp_path / "img")

    with pytest.raises(ImageError, match="is no dir: image") as caught:
        open_source(f"dir:{layout}")

    assert "oci" in caught.value.hint


@pytest.mark.parametrize(
    "name", ["nothing", "empty", "file", "pipe", "file/x", "x" * 5000, "\ud800"]
)
def test_what_is_no_image_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"hello")
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ImageError):
        open_source(str(tmp_path / name))


def test_several_tags_need_a_choice(tmp_path: Path) -> None:
    first = put_image(tmp_path, three_layers(), env=["A=1"])
    second = put_image(tmp_path, three_layers(), env=["A=2"])
    first["annotations"] = {REF_NAME: "1"}
    second["annotations"] = {REF_NAME: "docker.io/library/x:two"}
    write_layout(tmp_path, [first, second])

    with pytest.raises(ImageError, match=r"2 images here: 1, two") as caught:
        open_source(str(tmp_path))
    with open_source(f"{tmp_path}:two") as source:
        assert source.images[0].config.environment[1] == "A=2"
        assert len(source.entries) == 2

    assert "PATH:TAG" in caught.value.hint


def test_tag_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    layout = tiny_layout(tmp_path / "img", tag="1.0")

    with pytest.raises(ImageError) as caught:
        open_source(f"{layout}:2")

    assert "1.0" in caught.value.hint


def test_two_tags_of_one_image_need_no_choice(tmp_path: Path) -> None:
    entry = put_image(tmp_path, three_layers())
    write_layout(tmp_path, [{**entry, "annotations": {REF_NAME: tag}} for tag in ("a", "b")])

    with open_source(str(tmp_path)) as source:
        assert source.tag == "a"


@pytest.mark.parametrize("how", ["kind", "signature tag", "subject", "artifact config"])
def test_signatures_are_no_images_to_choose_among(tmp_path: Path, how: str) -> None:
    image = put_image(tmp_path, three_layers())
    manifest = blob_json(tmp_path, put_image(tmp_path, three_layers()[:1])["digest"])
    annotations = {}
    if how == "kind":
        annotations = {"kind": "dev.cosignproject.cosign/sigs"}
    elif how == "signature tag":
        annotations = {REF_NAME: image["digest"].replace(":", "-") + ".sig"}
    elif how == "subject":
        manifest["subject"] = image
    else:
        manifest["config"]["mediaType"] = "application/vnd.oci.empty.v1+json"
    other = put_json(tmp_path, manifest, OCI_MANIFEST, annotations=annotations)
    write_layout(tmp_path, [other, image])

    with open_source(str(tmp_path)) as source:
        assert str(source.root.digest) == image["digest"]
        assert len(source.entries) == 2


def test_index_gives_all_platforms_in_order(tmp_path: Path) -> None:
    with open_source(str(tiny_layout(tmp_path, platforms=TWO))) as source:
        assert platforms(source) == list(TWO)
        assert Digest.of(source.index_raw) == source.root.digest


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("all", list(TWO)),
        ("linux/amd64", ["linux/amd64"]),
        ("linux/arm64", ["linux/arm64/v8"]),
        ("linux/arm64/v8, linux/amd64", list(TWO)),
    ],
)
def test_platform_chooses_of_an_index(tmp_path: Path, wish: str, expected: list[str]) -> None:
    with open_source(str(tiny_layout(tmp_path, platforms=TWO)), platform=wish) as source:
        assert platforms(source) == expected
        assert source.is_index


@pytest.mark.parametrize("many", [TWO, ("linux/amd64",)])
def test_platform_that_is_not_there_is_refused(tmp_path: Path, many: tuple[str, ...]) -> None:
    layout = tiny_layout(tmp_path, platforms=many)

    with pytest.raises(ImageError) as caught:
        open_source(str(layout), platform="linux/s390x")

    assert "linux/amd64" in caught.value.hint


def test_platform_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is not a platform"):
        open_source(str(tiny_layout(tmp_path)), platform="amd64")


def test_missing_platform_is_left_out_with_a_finding(tmp_path: Path) -> None:
    layout = tiny_layout(tmp_path, platforms=TWO)
    with open_source(str(layout)) as source:
        blob(layout, str(source.images[1].digest)).unlink()

    with open_source(str(layout)) as source:
        (finding,) = source.findings
        assert platforms(source) == ["linux/amd64"]

    assert (finding.id, finding.severity) == ("IMG-PLATFORM-MISSING", Severity.WARNING)
    assert not finding.checked


def test_index_without_any_whole_platform_is_refused(tmp_path: Path) -> None:
    layout = tiny_layout(tmp_path, platforms=TWO)
    with open_source(str(layout)) as source:
        blob(layout, str(source.images[0].layers[2].descriptor.digest)).unlink()

    with pytest.raises(ImageError, match="No platform"):
        open_source(str(layout))


def test_attestations_are_left_out_with_a_finding(tmp_path: Path) -> None:
    image = put_image(tmp_path, three_layers())
    image["platform"] = {"architecture": "amd64", "os": "linux"}
    about = put_json(tmp_path, {"schemaVersion": 2}, OCI_MANIFEST)
    about["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [image, about]}
    write_layout(tmp_path, [put_json(tmp_path, index, OCI_INDEX)])

    with open_source(str(tmp_path)) as source:
        assert platforms(source) == ["linux/amd64"]
        assert [finding.id for finding in source.findings] == ["IMG-ATTESTATION"]


def test_indexes_nested_too_deep_are_refused(tmp_path: Path) -> None:
    entry = put_image(tmp_path, three_layers())
    for _ in range(4):
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
        entry = put_json(tmp_path, index, OCI_INDEX)
    write_layout(tmp_path, [entry])

    with pytest.raises(ImageError, match="nested"):
        open_source(str(tmp_path))


def test_missing_layer_is_refused(tmp_path: Path) -> None:
    layout = tiny_layout(tmp_path)
    with open_source(str(layout)) as source:
        blob(layout, str(source.images[0].layers[1].descriptor.digest)).unlink()

    with pytest.raises(ImageError, match="layer 1 is missing"):
        open_source(str(layout))


def test_foreign_layer_that_is_elsewhere_is_told_so(tmp_path: Path) -> None:
    layout = tiny_layout(tmp_path)
    manifest = blob_json(layout, entries(layout)[0]["digest"])
    manifest["layers"][0]["urls"] = ["https://example.com/layer"]
    blob(layout, manifest["layers"][0]["digest"]).unlink()

    with pytest.raises(ImageError, match="kept elsewhere"):
        open_source(str(reindex(layout, manifest)))


@pytest.mark.parametrize("which", ["manifest", "config"])
def test_changed_manifest_or_config_is_refused(tmp_path: Path, which: str) -> None:
    layout = tiny_layout(tmp_path)
    digest = entries(layout)[0]["digest"]
    if which == "config":
        digest = blob_json(layout, digest)["config"]["digest"]
    path = blob(layout, digest)
    path.write_bytes(path.read_bytes().replace(b"linux", b"linuX").replace(b"gzip", b"gziq"))

    with pytest.raises(IntegrityError):
        open_source(str(layout))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("manifests", []),
        ("schemaVersion", 1),
        ("schemaVersion", True),
        ("mediaType", OCI_INDEX),
        ("layers", {}),
        ("layers", [{"mediaType": OCI_LAYER_GZIP, "digest": "sha256:x", "size": 1}] * 3),
        ("config", None),
        ("annotations", {"a": 1}),
    ],
)
def test_inconsistent_manifest_is_refused(tmp_path: Path, member: str, value: object) -> None:
    layout = tiny_layout(tmp_path)
    manifest = blob_json(layout, entries(layout)[0]["digest"])

    with pytest.raises(ImageError):
        open_source(str(reindex(layout, {**manifest, member: value})))


def test_index_with_layers_is_refused(tmp_path: Path) -> None:
    layout = tiny_layout(tmp_path, platforms=TWO)
    index = blob_json(layout, entries(layout)[0]["digest"])

    with pytest.raises(ImageError, match="layers"):
        open_source(str(reindex(layout, {**index, "layers": []}, OCI_INDEX)))


def test_layer_of_a_strange_type_is_refused(tmp_path: Path) -> None:
    layout = tiny_layout(tmp_path)
    manifest = blob_json(layout, entries(layout)[0]["digest"])
    manifest["layers"][2]["mediaType"] = "application/vnd.dev.cosign.simplesigning.v1+json"

    with pytest.raises(ImageError, match="Layer 2 is of type"):
        open_source(str(reindex(layout, manifest)))


def test_other_number_of_diff_ids_is_refused(tmp_path: Path) -> None:
    layout = tiny_layout(tmp_path)
    manifest = blob_json(layout, entries(layout)[0]["digest"])
    config = blob_json(layout, manifest["config"]["digest"])
    config["rootfs"]["diff_ids"].pop()
    manifest["config"].update(put(layout, json.dumps(config).encode()))

    with pytest.raises(ImageError, match="3 layers, but the configuration has 2 diff_ids"):
        open_source(str(reindex(layout, manifest)))


def test_history_that_does_not_fit_gives_no_commands(tmp_path: Path) -> None:
    layout = tiny_layout(tmp_path, history=[{"created_by": "one line"}])

    with open_source(str(layout)) as source:
        assert [layer.command for layer in source.images[0].layers] == ["", "", ""]


def with_setting(layout: Path, member: str, value: object) -> Path:
    """Change one member of the configuration, everything correctly hashed."""
    manifest = blob_json(layout, entries(layout)[0]["digest"])
    config = config_json(three_layers())
    config["config"][member] = value
    manifest["config"].update(put(layout, json.dumps(config).encode()))
    return reindex(layout, manifest)


@pytest.mark.parametrize(
    ("member", "value"),
    [("Env", [1]), ("User", 5), ("Labels", []), ("Entrypoint", {"a": "b"})],
)
def test_config_member_of_a_wrong_type_is_refused(
    tmp_path: Path, member: str, value: object
) -> None:
    layout = with_setting(tiny_layout(tmp_path), member, value)

    with pytest.raises(KatauiError):
        open_source(str(layout))


def test_command_that_is_one_text_is_accepted_as_docker_does(tmp_path: Path) -> None:
    layout = with_setting(tiny_layout(tmp_path), "Cmd", "/bin/run")

    with open_source(str(layout)) as source:
        assert source.images[0].config.command == ("/bin/run",)


def test_todays_docker_save_is_opened_as_its_layout(tmp_path: Path) -> None:
    layout = tiny_layout(tmp_path / "save", compression="none")
    (entry,) = entries(layout)
    entry["annotations"] = {
        "io.containerd.image.name": "docker.io/library/x:2",
        REF_NAME: "2",
    }
    write_layout(layout, [entry])
    manifest = blob_json(layout, entry["digest"])
    saved = {
        "Config": "blobs/sha256/" + manifest["config"]["digest"][7:],
        "RepoTags": ["x:2"],
        "Layers": ["blobs/sha256/" + layer["digest"][7:] for layer in manifest["layers"]],
    }
    (layout / "manifest.json").write_text(json.dumps([saved]))

    for mode in ("w", "w:gz"):
        archive = pack(layout, tmp_path / f"save{mode[1:].replace(':', '.')}.tar", mode=mode)
        with open_source(f"{archive}:2") as source:
            assert source.transport == Transport.OCI_ARCHIVE
            assert str(source.root.digest) == entry["digest"]
        with open_source(f"docker-archive:{archive}") as source:
            assert source.transport == Transport.DOCKER_ARCHIVE
            assert [str(x.descriptor.digest) for x in source.images[0].layers] == [
                layer["digest"] for layer in manifest["layers"]
            ]
