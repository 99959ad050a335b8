from pathlib import Path

import pytest

from kataui.errors import ImageError, KatauiError
from kataui.images import dirimage
from kataui.images.dirimage import dir_signatures
from kataui.images.model import Digest
from kataui.images.open import open_source
from kataui.images.source import Transport
from tests.images.builders import tiny_dir


@pytest.mark.parametrize("prefix", ["", "dir:"])
def test_dir_image_is_opened(tmp_path: Path, prefix: str) -> None:
    place = tiny_dir(tmp_path / "img")

    with open_source(f"{prefix}{place}") as source:
        assert source.transport == Transport.DIR
        assert source.root.digest == Digest.of((place / "manifest.json").read_bytes())
        assert len(source.images[0].layers) == 3
        assert source.root.digest in set(source.blobs.digests())
        assert source.findings == ()


def test_dir_image_of_several_platforms_is_opened(tmp_path: Path) -> None:
    place = tiny_dir(tmp_path / "img", platforms=("linux/amd64", "linux/arm64"))

    with open_source(str(place)) as source:
        assert [image.config.platform.architecture for image in source.images] == [
            "amd64",
            "arm64",
        ]


def test_missing_layer_is_a_finding_that_says_not_checked(tmp_path: Path) -> None:
    place = tiny_dir(tmp_path / "img")
    with open_source(str(place)) as source:
        (place / source.images[0].layers[1].descriptor.digest.hex).unlink()

    with open_source(str(place)) as source:
        assert len(source.images) == 1
        (finding,) = source.findings

    assert "layer 1" in finding.message
    assert not finding.checked


def test_missing_config_leaves_no_image_but_the_manifest(tmp_path: Path) -> None:
    place = tiny_dir(tmp_path / "img")
    with open_source(str(place)) as source:
        (place / source.images[0].config_descriptor.digest.hex).unlink()

    with open_source(str(place)) as source:
        assert source.images == ()
        assert source.blobs.has(source.root.digest)
        assert [finding.checked for finding in source.findings] == [False]


def test_unknown_version_is_refused(tmp_path: Path) -> None:
    place = tiny_dir(tmp_path / "img")
    (place / "version").write_text("Directory Transport Version: 2.0\n")

    with pytest.raises(ImageError, match="version"):
        open_source(str(place))


def test_signatures_are_given_in_order(tmp_path: Path) -> None:
    many = tuple(b"\0signature %d" % number for number in range(11))

    assert dir_signatures(tiny_dir(tmp_path / "img", signatures=many)) == many
    assert dir_signatures(tiny_dir(tmp_path / "none")) == ()


def test_too_big_or_too_many_signatures_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dirimage, "_MAX_SIGNATURE_BYTES", 10)
    monkeypatch.setattr(dirimage, "_MAX_SIGNATURES", 3)

    with pytest.raises(ImageError, match="too big"):
        dir_signatures(tiny_dir(tmp_path / "a", signatures=[b"x" * 11]))
    with pytest.raises(ImageError, match="more than 3"):
        dir_signatures(tiny_dir(tmp_path / "b", signatures=[b"x"] * 4))


def test_signature_that_links_out_is_refused(tmp_path: Path) -> None:
    place = tiny_dir(tmp_path / "img")
    (place / "signature-1").symlink_to("/etc/passwd")

    with pytest.raises(ImageError, match="leads outside"):
        dir_signatures(place)


def test_manifest_that_is_no_json_is_refused(tmp_path: Path) -> None:
    place = tiny_dir(tmp_path / "img")
    (place / "manifest.json").write_bytes(b"{")

    with pytest.raises(KatauiError):
        open_source(str(place))
