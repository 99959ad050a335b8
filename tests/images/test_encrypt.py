"""Which layers are encrypted for whom, and what is told of those that were encrypted before."""

import pytest

from kataui.errors import ImageError, KeyProblem
from kataui.findings import Severity
from kataui.images.encrypt import Profile, check_selection, encrypt_image
from kataui.images.keys import KeyRing, load_keys, unwrap_options
from kataui.images.open import open_source
from kataui.images.recipients import parse_recipient
from kataui.images.writer import destination
from kataui.progress import Control
from tests.images.builders import tiny_layout
from tests.images.protecting import change_manifest, manifest_of

LAYER = "application/vnd.oci.image.layer.v1."


def encrypt(source, target, recipients, layers=(0, 1, 2), profile=Profile.HOST):
    """Encrypt some layers; gives the manifest that was written."""
    with open_source(str(source)) as opened, destination(str(target), source=opened) as place:
        encrypt_image(
            opened,
            place.layout,
            recipients=[parse_recipient(text) for text in recipients],
            selection=lambda _: frozenset(layers),
            profile=profile,
            tag="1",
            control=Control(),
        )
        place.commit()
    return manifest_of(target)


def told(source, layers):
    """The findings about a choice of layers."""
    with open_source(str(source)) as opened:
        return check_selection(opened, lambda _: frozenset(layers))


def kinds(manifest):
    """The layers' types, without what they have in common."""
    return [layer["mediaType"].removeprefix(LAYER) for layer in manifest["layers"]]


def ring(*specs) -> KeyRing:
    return load_keys(specs, lambda _: "")


def test_encrypting_what_is_encrypted_already_is_an_error(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    encrypt(source, tmp_path / "one", [keys.recipient])

    with pytest.raises(ImageError, match="nobody would be added") as problem:
        encrypt(tmp_path / "one", tmp_path / "two", [keys.other_recipient])

    assert "kataui image recipients" in problem.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "source"]


def test_no_layer_chosen_is_an_error(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")

    with pytest.raises(ImageError, match="no layer that could be encrypted"):
        encrypt(source, tmp_path / "out", [keys.recipient], layers=())


def test_layers_encrypted_before_keep_their_recipients_and_that_is_told(tmp_path, keys):
    encrypt(tiny_layout(tmp_path / "source"), tmp_path / "one", [keys.recipient], [1])
    before = manifest_of(tmp_path / "one")["layers"][1]

    findings = told(tmp_path / "one", [0, 1, 2])
    layers = encrypt(tmp_path / "one", tmp_path / "two", [keys.other_recipient])["layers"]

    assert [(item.id, item.severity) for item in findings] == [
        ("IMG-KEPT-RECIPIENTS", Severity.WARNING)
    ]
    assert findings[0].message.startswith("1 of 3 layers")
    assert layers[1] == before
    for index in (0, 2):
        assert unwrap_options(layers[index]["annotations"], ring(keys.other_private))


def test_layers_encrypted_before_that_were_not_chosen_are_no_news(tmp_path, keys):
    encrypt(tiny_layout(tmp_path / "source"), tmp_path / "one", [keys.recipient], [1])

    assert told(tmp_path / "one", [0, 2]) == ()


def test_plain_zstd_becomes_gzip_for_a_guest(tmp_path, keys):
    source = tiny_layout(tmp_path / "source", compression="zstd")

    def annotate(manifest):
        manifest["layers"][0]["annotations"] = {
            "io.github.containers.zstd-chunked.manifest-position": "1:2:3:4",
            "org.example.kept": "yes",
        }

    change_manifest(source, annotate)

    made = encrypt(source, tmp_path / "guest", [keys.broker], [2], Profile.COCO)

    assert kinds(made) == ["tar+gzip", "tar+gzip", "tar+gzip+encrypted"]
    assert made["layers"][0]["annotations"] == {"org.example.kept": "yes"}


def test_plain_zstd_stays_for_a_host(tmp_path, keys):
    source = tiny_layout(tmp_path / "source", compression="zstd")

    made = encrypt(source, tmp_path / "host", [keys.recipient], [2])

    assert made["layers"][:2] == manifest_of(source)["layers"][:2]
    assert kinds(made)[2] == "tar+zstd+encrypted"


def test_a_guest_is_not_given_layers_that_were_encrypted_for_others(tmp_path, keys):
    encrypt(tiny_layout(tmp_path / "source"), tmp_path / "one", [keys.recipient], [1])

    with pytest.raises(KeyProblem, match="Layer 1 was encrypted before in a way that no guest"):
        encrypt(tmp_path / "one", tmp_path / "two", [keys.broker], [0, 2], Profile.COCO)

    assert not (tmp_path / "two").exists()


def test_a_guest_keeps_layers_that_were_encrypted_for_guests(tmp_path, keys):
    encrypt(tiny_layout(tmp_path / "source"), tmp_path / "one", [keys.broker], [1], Profile.COCO)

    made = encrypt(tmp_path / "one", tmp_path / "two", [keys.broker], [0, 2], Profile.COCO)

    assert kinds(made) == ["tar+gzip+encrypted"] * 3
