import base64
import json
import os

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kataui.errors import ImageError, KeyProblem
from kataui.images import kbs
from kataui.images.jwe import NotForThisKey
from tests.images.wrapping import BROKER, OPTIONS, b64, encrypted_layers, flipped

KID = "kbs:///default/key/1"
KEY = bytes(range(32))


def packet(**changes):
    value = json.loads(kbs.wrap(KID, KEY, OPTIONS))
    return json.dumps({**value, **changes}).encode()


def test_round_trip_is_a_compact_v1_packet():
    data = kbs.wrap(KID, KEY, OPTIONS)

    value = json.loads(data)
    assert list(value) == ["kid", "wrapped_data", "iv", "wrap_type"]
    assert b" " not in data
    assert value["wrap_type"] == "A256GCM"
    assert len(base64.b64decode(value["iv"])) == 12
    assert len(base64.b64decode(value["wrapped_data"])) == len(OPTIONS) + 16
    assert kbs.unwrap(kbs.parse(data), KEY) == OPTIONS


def test_packet_is_what_the_guest_computes():
    value = json.loads(kbs.wrap(KID, KEY, OPTIONS))

    iv, sealed = (base64.b64decode(value[name]) for name in ("iv", "wrapped_data"))

    assert AESGCM(KEY).decrypt(iv, sealed, None) == OPTIONS


def test_sample_packet_of_guest_components_opens_with_the_published_key(shared):
    folder = shared / "corpora" / "coco" / "ocicrypt-rs-data"
    found = kbs.parse((folder / "sample_kbc_annotation.json").read_bytes())

    plain = kbs.unwrap(found, kbs.SAMPLE_KEY)

    assert len(plain) == 193
    assert set(json.loads(plain)) == {"symkey", "digest", "cipheroptions"}


def test_packets_of_skopeo_and_a_key_provider_open(shared):
    peers = shared / "fixtures" / "peers"
    key = (peers / "keys" / "kek.bin").read_bytes()

    for layer in encrypted_layers(peers / "enc" / "provider-attestation-agent.skopeo-1.22"):
        found = kbs.parse(base64.b64decode(layer[BROKER]))
        assert found.kid == KID
        assert kbs.unwrap(found, key).startswith(b'{"symkey"')


def test_v2_packet_opens():
    more = {"version": "0.1.0", "provider": "kbs", "provider_settings": {}, "annotations": {}}

    assert kbs.unwrap(kbs.parse(packet(**more)), KEY) == OPTIONS


def test_counter_mode_is_read_but_flagged():
    iv = os.urandom(16)
    encryptor = Cipher(algorithms.AES(KEY), modes.CTR(iv)).encryptor()
    data = packet(wrapped_data=b64(encryptor.update(OPTIONS)), iv=b64(iv), wrap_type="A256CTR")

    assert kbs.unwrap(kbs.parse(data), KEY) == OPTIONS
    assert kbs.provider_flags({BROKER: b64(data)}) == {"A256CTR"}
    with pytest.raises(NotForThisKey):
        kbs.unwrap(kbs.parse(data), bytes(32))


@pytest.mark.parametrize("field", ["wrapped_data", "iv"])
@pytest.mark.parametrize("position", [0, 5, -1])
def test_each_field_tampered_is_refused(field, position):
    data = base64.b64decode(json.loads(kbs.wrap(KID, KEY, OPTIONS))[field])
    value = json.loads(kbs.wrap(KID, KEY, OPTIONS))
    raw = base64.b64decode(value[field])
    value[field] = b64(flipped(raw, position % len(data)))

    with pytest.raises(NotForThisKey):
        kbs.unwrap(kbs.parse(json.dumps(value).encode()), KEY)


@pytest.mark.parametrize(
    "changes",
    [{"iv": ""}, {"wrapped_data": "AA=="}, {"wrap_type": "A128GCM"}, {"wrap_type": None}],
)
def test_other_parameters_open_nothing(changes):
    with pytest.raises(NotForThisKey):
        kbs.unwrap(kbs.parse(packet(**changes)), KEY)


def test_wrong_key_opens_nothing():
    with pytest.raises(NotForThisKey):
        kbs.unwrap(kbs.parse(packet()), bytes(32))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"kid":7,"wrapped_data":"AA=="}',
        b'{"kid":"kbs:///a/b/c"}',
        packet(iv="*"),
        packet(wrapped_data="\u00e9"),
        packet()[:-1],
    ],
)
def test_garbage_is_an_image_error(data):
    with pytest.raises(ImageError):
        kbs.parse(data)


@pytest.mark.parametrize(
    "kid", [KID, "kbs:///a/b/c", "kbs:///my-repo/image_key/v1.2", "kbs:///default/key/.hidden"]
)
def test_good_kids_are_taken(kid):
    assert kbs.check_kid(kid) == kid


@pytest.mark.parametrize(
    "kid",
    [
        "kbs://host/a/b/c",
        "kbs:///a/b",
        "kbs:///a/b/c/d",
        "kbs:///a//c",
        "kbs:///a/b/c?x=1",
        "kbs:///a/b/c#x",
        "kbs:///../b/c",
        "kbs:///a/./c",
        "kbs:///a/b/c\n",
        "kbs:///a/b/\x1b[1m",
        "kbs:///a/b/c ",
        "kbs:///a/b/\u0441",
        "KBS:///a/b/c",
        "",
    ],
)
def test_bad_kids_are_refused(kid):
    with pytest.raises(KeyProblem, match="no key broker resource"):
        kbs.check_kid(kid)


@pytest.mark.parametrize("size", [44, 45])
def test_base64_instead_of_raw_bytes_has_its_own_hint(size):
    with pytest.raises(KeyProblem, match=f"{size} bytes, not 32") as problem:
        kbs.check_key(bytes(size), "key.b64")

    assert "base64" in problem.value.hint


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_keys_of_other_sizes_are_refused(size):
    with pytest.raises(KeyProblem, match=f"{size} bytes, not 32") as problem:
        kbs.check_key(bytes(size), "key")

    assert "base64" not in problem.value.hint


def test_good_packet_has_no_flags():
    assert kbs.provider_flags({BROKER: b64(packet())}) == frozenset()


def test_sample_key_and_zero_iv_are_flagged(shared):
    folder = shared / "corpora" / "coco" / "ocicrypt-rs-data"
    sample = (folder / "sample_kbc_annotation.json").read_bytes()
    zero = kbs.compact_json(
        {
            "kid": KID,
            "wrapped_data": b64(AESGCM(kbs.SAMPLE_KEY).encrypt(bytes(12), OPTIONS, None)),
            "iv": b64(bytes(12)),
            "wrap_type": "A256GCM",
        }
    )

    assert kbs.provider_flags({BROKER: b64(sample)}) == {"sample-key"}
    assert kbs.provider_flags({BROKER: b64(zero)}) == {"sample-key", "zero-iv"}
    assert kbs.provider_flags({BROKER: f"{b64(packet())},{b64(zero)}"}) >= {"sample-key"}


@pytest.mark.parametrize("kid", ["1", "https://host/a/b/c", "kbs:///kbs:///default/key/1"])
def test_kid_that_no_broker_serves_is_flagged(kid):
    assert kbs.provider_flags({BROKER: b64(packet(kid=kid))}) == {"not-kbs-kid"}


def test_flags_of_garbage_are_none():
    assert kbs.provider_flags({BROKER: "*,\u00e9,AAAA", "other": "x"}) == frozenset()
