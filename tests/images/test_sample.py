"""The sample image and its throwaway keys."""

import gzip
import hashlib
import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kataui.errors import DestinationProblem
from kataui.images.base import find_base
from kataui.images.cosignkey import decrypt_key
from kataui.images.history import short_name
from kataui.images.leaks import likely_secret
from kataui.images.open import open_source
from kataui.images.sample import make_sample, make_sample_keys
from kataui.progress import Control


def test_sample_is_a_whole_image_that_shows_something(tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "s", Control())

    with open_source(f"oci:{sample.source}:{sample.tag}") as source:
        image = source.images[0]
        for layer in image.layers:
            with source.blobs.open(layer.descriptor.digest) as stream:
                plain = gzip.decompress(stream.read())
            assert hashlib.sha256(plain).hexdigest() == layer.diff_id.hex
        assert find_base(image).count == 2
        assert "sample/base" in find_base(image).name
        assert [short_name(layer.command, layer.index) for layer in image.layers] == [
            "Base files",
            "Files in /usr/local",
            "Files in /srv/model",
            "Files in /srv/app",
        ]
        assert image.size_bytes > 2_000_000
        settings = [text.partition("=") for text in image.config.environment]
        assert [name for name, _, value in settings if likely_secret(name, value)] == [
            "PAYMENT_API_KEY"
        ]
        assert image.config.entrypoint == ("/srv/app/start.sh",)
        assert image.config.command == ()


def test_sample_is_the_same_every_time(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "two"):
        sample = make_sample(tmp_path / name, Control())
        index = json.loads((sample.source / "index.json").read_bytes())
        digests.add(index["manifests"][0]["digest"])

    assert len(digests) == 1


def test_sample_overwrites_nothing(tmp_path: Path) -> None:
    make_sample(tmp_path / "s", Control())
    make_sample_keys(tmp_path / "keys")

    with pytest.raises(DestinationProblem):
        make_sample(tmp_path / "s", Control())
    with pytest.raises(DestinationProblem):
        make_sample_keys(tmp_path / "keys")


def test_sample_keys_work_and_are_marked_as_throwaway(tmp_path: Path) -> None:
    keys = make_sample_keys(tmp_path / "keys")

    load_pem_private_key(keys.private_key.read_bytes(), None)
    decrypt_key(keys.sign_key.read_bytes(), b"", "k")
    assert keys.recipient_spec.startswith("jwe:")
    assert Path(keys.recipient_spec.removeprefix("jwe:")).is_file()
    assert keys.public_key.read_bytes().startswith(b"-----BEGIN PUBLIC KEY")
    assert all("throwaway" in path.name.lower() for path in (tmp_path / "keys").iterdir())
    assert "Never use them" in (tmp_path / "keys" / "THROWAWAY-KEYS.txt").read_text()
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
