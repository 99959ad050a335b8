"""Images that other people's tools wrote, opened; and the same layers told by two formats."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kataui.errors import KatauiError
from kataui.images.dirimage import dir_signatures
from kataui.images.inspect import Base, layer_rows
from kataui.images.model import Digest
from kataui.images.open import open_source
from kataui.images.source import Source, Transport
from tests.images.builders import tiny_layout
from tests.interop.registries import serve

pytestmark = pytest.mark.interop
Peer = Callable[[str], str]


@pytest.fixture
def fixtures(shared: Path) -> Path:
    return shared / "fixtures" / "peers"


def check_blobs(source: Source) -> None:
    """Every layer's bytes hash to the digest that the manifest names."""
    for image in source.images:
        for layer in image.layers:
            with source.blobs.open(layer.descriptor.digest) as stream:
                assert Digest.of(stream.read()) == layer.descriptor.digest


@pytest.mark.parametrize(
    ("name", "transport", "count"),
    [
        ("tiny", Transport.OCI, 3),
        ("tiny.oci.tar", Transport.OCI_ARCHIVE, 3),
        ("tiny.docker.tar", Transport.DOCKER_ARCHIVE, 3),
        ("busybox.oci.tar", Transport.OCI_ARCHIVE, 1),
    ],
)
def test_images_of_umoci_and_skopeo_are_opened(
    fixtures: Path, name: str, transport: Transport, count: int
) -> None:
    with open_source(f"{fixtures / name}:1") as source:
        assert (source.transport, source.tag) == (transport, "1")
        assert len(source.images[0].layers) == count
        check_blobs(source)


def test_one_image_has_the_same_diff_ids_in_every_format(fixtures: Path) -> None:
    found = set()
    for name in ("tiny", "tiny.oci.tar", "tiny.docker.tar"):
        with open_source(str(fixtures / name)) as source:
            found.add(source.images[0].config.diff_ids)

    assert len(found) == 1


@pytest.mark.parametrize("name", ["tiny-index", "enc/index.skopeo-1.22", "enc/index.skopeo-1.9"])
def test_index_of_two_platforms_is_opened(fixtures: Path, name: str) -> None:
    with open_source(str(fixtures / name)) as source:
        assert [str(image.config.platform) for image in source.images] == [
            "linux/amd64",
            "linux/arm64",
        ]
        check_blobs(source)


def test_all_encrypted_fixtures_are_opened_and_listed(fixtures: Path) -> None:
    schemes = set()
    for place in sorted((fixtures / "enc").iterdir()):
        with open_source(str(place)) as source:
            check_blobs(source)
            for image in source.images:
                rows = layer_rows(image, Base(None, "", "unknown"))
                assert any(row.encrypted for row in rows), place.name
                assert all(bool(row.schemes) == row.encrypted for row in rows), place.name
                schemes |= {scheme for row in rows for scheme in row.schemes}

    assert schemes == {"jwe", "pkcs7", "pgp", "pkcs11", "provider"}


@pytest.mark.parametrize(
    "name", ["cosign/saved-by-cosign2", "cosign/saved-by-cosign3", "notation/signed"]
)
def test_signed_layouts_hold_one_image_to_choose(fixtures: Path, name: str) -> None:
    with open_source(str(fixtures / "tiny")) as plain, open_source(str(fixtures / name)) as signed:
        assert signed.root.digest == plain.root.digest


def test_signed_dir_images_of_containers_image_are_read(shared: Path) -> None:
    opened = 0
    for place in sorted((shared / "corpora" / "signatures").glob("dir-img-*")):
        signatures = dir_signatures(place)
        assert all(signatures)
        with contextlib.suppress(KatauiError), open_source(f"dir:{place}") as source:
            opened += 1
            assert source.root.digest == Digest.of((place / "manifest.json").read_bytes())
            assert [finding.checked for finding in source.findings] == [False]

    assert opened >= 5


@pytest.mark.parametrize("tool", ["skopeo", "skopeo122"])
@pytest.mark.parametrize("kind", ["oci", "oci-archive", "docker-archive", "dir"])
def test_what_skopeo_writes_is_opened(tmp_path: Path, peer: Peer, tool: str, kind: str) -> None:
    layout = tiny_layout(tmp_path / "made")
    target = tmp_path / "written"
    name = {"dir": "", "docker-archive": ":localhost/a:1"}.get(kind, ":1")
    run = [peer(tool), "--insecure-policy", "copy", "-q", f"oci:{layout}:1"]
    subprocess.run([*run, f"{kind}:{target}{name}"], check=True)

    with open_source(str(target)) as source, open_source(str(layout)) as made:
        assert source.transport == kind
        assert source.images[0].config.diff_ids == made.images[0].config.diff_ids
        check_blobs(source)


def test_skopeo_dir_of_an_index_is_opened(tmp_path: Path, peer: Peer) -> None:
    layout = tiny_layout(tmp_path / "made", platforms=("linux/amd64", "linux/arm64"))
    run = [peer("skopeo122"), "--insecure-policy", "copy", "-q", "--all", f"oci:{layout}:1"]
    subprocess.run([*run, f"dir:{tmp_path / 'out'}"], check=True)

    with open_source(str(tmp_path / "out")) as source, open_source(str(layout)) as made:
        assert source.root.digest == made.root.digest
        assert len(source.images) == 2
        check_blobs(source)


@pytest.fixture
def registry(tmp_path: Path, peer: Peer) -> Iterator[str]:
    """A registry on this machine: ``127.0.0.1:PORT``."""
    with serve(peer("crane"), tmp_path / "r") as address:
        yield address


@pytest.mark.parametrize("platforms", [("linux/amd64",), ("linux/amd64", "linux/arm64")])
def test_image_comes_from_a_registry_unchanged(
    tmp_path: Path,
    peer: Peer,
    registry: str,
    monkeypatch: pytest.MonkeyPatch,
    platforms: tuple[str, ...],
) -> None:
    peer("skopeo")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    layout = tiny_layout(tmp_path / "made", platforms=platforms)
    push = [
        peer("skopeo122"),
        "--insecure-policy",
        "copy",
        "-q",
        "--all",
        "--dest-tls-verify=false",
    ]
    subprocess.run([*push, f"oci:{layout}:1", f"docker://{registry}/shop/aa:1"], check=True)

    with open_source(str(layout)) as made, open_source(f"docker://{registry}/shop/aa:1") as source:
        assert source.root.digest == made.root.digest
        assert [finding.id for finding in source.findings] == ["IMG-NETWORK"]
        check_blobs(source)

    assert list(temporary.iterdir()) == []


def test_image_that_the_registry_has_not_is_told(peer: Peer, registry: str) -> None:
    peer("skopeo")

    with pytest.raises(KatauiError, match="skopeo could not fetch"):
        open_source(f"docker://{registry}/shop/aa:none")
