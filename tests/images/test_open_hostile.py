"""Whatever the bytes are: an opened image or a sentence, no other exception, nothing written."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kataui.errors import KatauiError
from kataui.images.facts import readable_facts
from kataui.images.leaks import text_leaks
from kataui.images.model import OCI_INDEX, OCI_MANIFEST, Digest
from kataui.images.open import open_source
from kataui.images.reference import parse_reference
from tests.images.builders import (
    docker_folder,
    put,
    put_json,
    tiny_dir,
    tiny_docker_archive,
    tiny_layout,
    tiny_oci_archive,
    write_layout,
)

FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8) | st.just(1e308)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def everything(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def assert_shown(message: str) -> None:
    """A sentence without control characters."""
    assert message.encode()
    assert message.isprintable()


def open_safely(place: Path, text: str) -> None:
    before = everything(place)
    try:
        with open_source(text) as source:
            for image in source.images:
                readable_facts(image)
                for layer in image.layers:
                    if source.blobs.has(layer.descriptor.digest):
                        with source.blobs.open(layer.descriptor.digest) as stream:
                            stream.read(100)
    except KatauiError as error:
        assert_shown(error.message)
    assert everything(place) == before


def set_somewhere(value: Any, path: list[int], new: Any) -> Any:
    """The JSON value with one member, found by following ``path``, replaced."""
    if not path or not isinstance(value, dict | list) or not value:
        return new
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    changed = value.copy()
    changed[key] = set_somewhere(value[key], path[1:], new)
    return changed


PATHS = st.lists(st.integers(0, 30), min_size=1, max_size=5)


@FEW
@given(PATHS, JSON)
def test_changed_index_is_refused_or_opened(place: Path, path: list[int], new: Any) -> None:
    layout = tiny_layout(place / "img", platforms=("linux/amd64", "linux/arm64"))
    index = layout / "index.json"
    index.write_text(json.dumps(set_somewhere(json.loads(index.read_text()), path, new)))

    open_safely(place, str(layout))


@FEW
@given(PATHS, JSON, st.sampled_from([OCI_MANIFEST, OCI_INDEX]))
def test_changed_manifest_is_refused_or_opened(
    place: Path, path: list[int], new: Any, kind: str
) -> None:
    layout = tiny_layout(place / "img")
    with open_source(str(layout)) as source:
        manifest = dict(source.images[0].manifest)
    changed = set_somewhere(manifest, path, new)
    write_layout(layout, [put_json(layout, changed, kind)])

    open_safely(place, str(layout))


@FEW
@given(PATHS, JSON)
def test_changed_config_is_refused_or_opened(place: Path, path: list[int], new: Any) -> None:
    layout = tiny_layout(place / "img")
    with open_source(str(layout)) as source:
        manifest = dict(source.images[0].manifest)
        config = json.loads(source.images[0].config.raw)
    data = json.dumps(set_somewhere(config, path, new)).encode()
    manifest["config"] = {**manifest["config"], **put(layout, data)}
    write_layout(layout, [put_json(layout, manifest, OCI_MANIFEST)])

    open_safely(place, str(layout))


@FEW
@given(path=PATHS, new=JSON, docker=st.booleans())
def test_changed_docker_or_dir_manifest_is_refused_or_opened(
    place: Path, path: list[int], new: Any, *, docker: bool
) -> None:
    shutil.rmtree(place / "img", ignore_errors=True)
    shutil.rmtree(place / "img.layout", ignore_errors=True)
    folder = docker_folder(place / "img") if docker else tiny_dir(place / "img")
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(set_somewhere(json.loads(manifest.read_text()), path, new)))

    open_safely(place, str(folder))


@FEW
@given(st.binary(max_size=40), st.sampled_from(["index.json", "oci-layout"]))
def test_any_bytes_for_an_index_are_refused(place: Path, data: bytes, name: str) -> None:
    layout = tiny_layout(place / "img")
    (layout / name).write_bytes(data)

    open_safely(place, str(layout))


@settings(FEW, max_examples=200)
@given(
    docker=st.booleans(),
    start=st.integers(0, 20_000),
    new=st.binary(max_size=12),
    cut=st.none() | st.integers(0, 20_000),
)
@example(docker=False, start=124, new=b"\xff" * 12, cut=None)  # a size below zero
@example(docker=False, start=124, new=b"\x80\0\0\0\0\xff\xff\xff\xff\xff\xff\xff", cut=None)
def test_changed_or_cut_archive_is_refused_or_opened(
    place: Path, *, docker: bool, start: int, new: bytes, cut: int | None
) -> None:
    name = "docker.tar" if docker else "oci.tar"
    whole = place / f"whole.{name}"
    if not whole.exists():
        make = tiny_docker_archive if docker else tiny_oci_archive
        make(place / f"made.{name}", compression="none").rename(whole)
    data = bytearray(whole.read_bytes())
    data[start : start + len(new)] = new
    (place / name).write_bytes(data[:cut])

    open_safely(place, str(place / name))


@FEW
@given(st.binary(max_size=3000))
@example(b"\x1f\x8b")
@example(bytes(1024))
def test_any_file_is_refused(place: Path, data: bytes) -> None:
    (place / "file").write_bytes(data)

    open_safely(place, str(place / "file"))


@FEW
@given(st.text(max_size=60))
@example("\ud800")
@example("docker://" + "\ud800")
def test_any_reference_is_read_or_refused(text: str) -> None:
    try:
        parse_reference(text)
    except KatauiError as error:
        assert_shown(error.message)


@FEW
@given(st.text(max_size=300))
def test_any_history_line_is_scanned(text: str) -> None:
    for leak in text_leaks(text):
        assert leak.shown


def test_bomb_of_a_digest_is_not_followed(place: Path) -> None:
    """A layout whose blob links to a device or a folder of the system is refused."""
    layout = tiny_layout(place / "img")
    with open_source(str(layout)) as source:
        digest: Digest = source.root.digest
    blob = layout / "blobs" / "sha256" / digest.hex
    blob.unlink()
    blob.symlink_to("/dev/zero")

    open_safely(place, str(layout))
    with pytest.raises(KatauiError, match="leads outside"):
        open_source(str(layout))
