import json
from pathlib import Path

import pytest

from kataui.errors import ImageError, IntegrityError, KatauiError
from kataui.images.model import OCI_LAYER_GZIP, OCI_LAYER_TAR, OCI_LAYER_ZSTD, Digest
from kataui.images.open import open_source
from kataui.images.source import Transport
from tests.images.builders import (
    compress,
    docker_folder,
    pack,
    tar_bytes,
    three_layers,
    tiny_docker_archive,
)


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("packed", ["", "w", "w:gz"])
def test_old_docker_save_is_opened(tmp_path: Path, packed: str, *, linked: bool) -> None:
    place = docker_folder(tmp_path / "folder", linked=linked, env=["A=b"])
    if packed:
        place = pack(place, tmp_path / "a.tar", mode=packed)

    with open_source(str(place)) as source:
        (image,) = source.images
        assert (source.transport, source.tag) == (Transport.DOCKER_ARCHIVE, "1")
        assert source.root.annotations["io.containerd.image.name"] == "localhost/tiny:1"
        assert image.config.environment[1] == "A=b"
        for layer, plain in zip(image.layers, three_layers(), strict=True):
            assert layer.descriptor.media_type == OCI_LAYER_TAR
            assert layer.descriptor.digest == layer.diff_id == Digest.of(plain)
            with source.blobs.open(layer.descriptor.digest) as stream:
                assert stream.read() == plain


@pytest.mark.parametrize(("how", "kind"), [("gzip", OCI_LAYER_GZIP), ("zstd", OCI_LAYER_ZSTD)])
def test_compressed_layers_are_told_by_their_content(tmp_path: Path, how: str, kind: str) -> None:
    with open_source(str(tiny_docker_archive(tmp_path / "a.tar", compression=how))) as source:
        for layer, plain in zip(source.images[0].layers, three_layers(), strict=True):
            assert layer.descriptor.media_type == kind
            assert layer.descriptor.digest == Digest.of(compress(plain, how))
            assert layer.diff_id == Digest.of(plain)


def two_images(folder: Path) -> Path:
    docker_folder(folder, names=["r/a:1", "r/a:latest"])
    first = json.loads((folder / "manifest.json").read_text())
    docker_folder(folder, layers=[tar_bytes({"other": b""})], names=["r/b:2"])
    second = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(first + second))
    return folder


def test_several_images_need_a_choice(tmp_path: Path) -> None:
    folder = two_images(tmp_path)

    with pytest.raises(ImageError, match=r"r/a:1, r/a:latest, r/b:2"):
        open_source(str(folder))
    with pytest.raises(ImageError, match="no image with the tag"):
        open_source(f"{folder}:3")
    with open_source(f"docker-archive:{folder}:2") as source:
        assert len(source.images[0].layers) == 1
    with open_source(f"{folder}:latest") as source:
        assert len(source.images[0].layers) == 3


def test_single_image_without_a_name_is_opened(tmp_path: Path) -> None:
    with open_source(str(docker_folder(tmp_path, names=()))) as source:
        assert source.tag == ""


def test_changed_config_is_refused(tmp_path: Path) -> None:
    docker_folder(tmp_path)
    (config,) = (path for path in tmp_path.glob("*.json") if path.name != "manifest.json")
    config.write_bytes(config.read_bytes().replace(b"/bin/sh", b"/bin/xx"))

    with pytest.raises(IntegrityError):
        open_source(str(tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        {"Layers": ["../../../../etc/passwd"] * 3},
        {"Layers": ["/etc/passwd"] * 3},
        {"Config": "/etc/passwd"},
        {"Layers": ["nothing"] * 3},
        {"Layers": []},
        {"Layers": [1, 2, 3]},
        {"Layers": "abc"},
        {"Config": None},
        {"RepoTags": {"a": "b"}},
        {"Config": "\0"},
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_wrong_list_of_parts_is_refused(
    tmp_path: Path, change: dict[str, object], *, packed: bool
) -> None:
    folder = docker_folder(tmp_path / "folder")
    (saved,) = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps([{**saved, **change}]))
    place = pack(folder, tmp_path / "a.tar") if packed else folder

    with pytest.raises(KatauiError):
        open_source(str(place))


@pytest.mark.parametrize("value", [[], [1], [[]], {}, 5, "x"])
def test_list_of_no_images_is_refused(tmp_path: Path, value: object) -> None:
    docker_folder(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps(value))

    with pytest.raises(KatauiError):
        open_source(str(tmp_path))
