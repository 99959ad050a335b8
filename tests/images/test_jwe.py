import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.errors import ImageError
from kataui.images import jwe
from kataui.images.keyfiles import jwk_private, load_private
from tests.images.wrapping import OPTIONS, encrypted_layers, make_jwe, private_key, url

CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
PRIVATE = {name: ec.generate_private_key(curve) for name, curve in CURVES.items()}


@pytest.fixture(scope="module")
def rsa_key(keys):
    return private_key(keys.private)


def wrapped_for(private, algorithm="", **more):
    rsa_like = isinstance(private, rsa.RSAPrivateKey)
    algorithm = algorithm or ("RSA-OAEP" if rsa_like else "ECDH-ES+A256KW")
    return jwe.JweKey(private.public_key(), algorithm, **more)


def opened(data, private):
    return jwe.unwrap(jwe.parse(data), private)


# RFC 7518, appendix C: the ECDH-ES key agreement of Alice and Bob.
ALICE = {
    "kty": "EC",
    "crv": "P-256",
    "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
    "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
}
BOB = {
    "kty": "EC",
    "crv": "P-256",
    "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
    "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    "d": "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
}


def test_key_agreement_is_that_of_rfc_7518():
    header = {"alg": "ECDH-ES", "enc": "A128GCM", "apu": "QWxpY2U", "apv": "Qm9i", "epk": ALICE}
    entry = jwe.Entry("ECDH-ES", "", "P-256", header, b"")

    derived = jwe._content_key(entry, jwk_private(BOB, "bob"))

    assert url(derived) == "VqqN6vgjbSBcIijNcacQGg"


def test_cbc_with_hmac_is_that_of_rfc_7518():
    # appendix B.1
    sealed = bytes.fromhex(
        "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9"
        "a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489f16362c7032336"
        "09d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b"
        "384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade5"
        "4b8851ffb598f7f80074b9473c82e2db"
    )
    iv = bytes.fromhex("1af38c2dc2b96ffdd86694092341bc04")
    tag = bytes.fromhex("652c3fa36b0a7c5b3219fab3a30bc1c4")
    message = jwe.Message((), "", iv, sealed, tag)

    plain = jwe._open_cbc(message, bytes(range(32)), b"The second principle of Auguste Kerckhoffs")

    assert plain.startswith(b"A cipher system must not be required to be secret")


@pytest.mark.parametrize("curve", CURVES)
def test_ec_round_trip(curve):
    data = jwe.wrap([wrapped_for(PRIVATE[curve])], OPTIONS)

    assert opened(data, PRIVATE[curve]) == OPTIONS


@pytest.mark.parametrize("algorithm", jwe.RSA_ALGORITHMS)
def test_rsa_round_trip(rsa_key, algorithm):
    data = jwe.wrap([wrapped_for(rsa_key, algorithm)], OPTIONS)

    assert opened(data, rsa_key) == OPTIONS


@pytest.mark.parametrize("algorithm", jwe.EC_ALGORITHMS)
def test_ec_round_trip_of_each_jwk_algorithm(algorithm):
    data = jwe.wrap([wrapped_for(PRIVATE["P-256"], algorithm)], OPTIONS)

    assert opened(data, PRIVATE["P-256"]) == OPTIONS


def test_one_recipient_is_flattened_json_as_go_jose_writes_it(rsa_key):
    value = json.loads(jwe.wrap([wrapped_for(rsa_key, kid="k1")], OPTIONS))

    assert list(value) == ["protected", "encrypted_key", "iv", "ciphertext", "tag"]
    header = json.loads(jwe.decode(value["protected"]))
    assert header == {"alg": "RSA-OAEP", "kid": "k1", "enc": "A256GCM"}
    assert len(jwe.decode(value["iv"])) == 12
    assert len(jwe.decode(value["ciphertext"])) == len(OPTIONS)


def test_ec_header_has_a_point_of_fixed_width():
    value = json.loads(jwe.wrap([wrapped_for(PRIVATE["P-521"])], OPTIONS))

    header = json.loads(jwe.decode(value["protected"]))
    assert header["alg"] == "ECDH-ES+A256KW"
    assert header["epk"]["crv"] == "P-521"
    assert {len(jwe.decode(header["epk"][name])) for name in ("x", "y")} == {66}
    assert len(jwe.decode(value["encrypted_key"])) == 40


def test_several_recipients_share_one_general_json_and_each_opens_it(rsa_key):
    people = [rsa_key, PRIVATE["P-256"], PRIVATE["P-384"]]

    data = jwe.wrap([wrapped_for(person) for person in people], OPTIONS)

    value = json.loads(data)
    assert json.loads(jwe.decode(value["protected"])) == {"enc": "A256GCM"}
    assert len(value["recipients"]) == 3
    assert "encrypted_key" not in value
    assert [opened(data, person) for person in people] == [OPTIONS] * 3


def test_fresh_key_and_iv_each_time(rsa_key):
    one, two = (json.loads(jwe.wrap([wrapped_for(rsa_key)], OPTIONS)) for _ in range(2))

    assert all(one[name] != two[name] for name in ("iv", "encrypted_key", "ciphertext", "tag"))


@pytest.mark.parametrize("enc", ["A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"])
@pytest.mark.parametrize("alg", ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A192KW"])
def test_every_algorithm_that_peers_write_is_read(rsa_key, alg, enc):
    private = rsa_key if alg.startswith("RSA") else PRIVATE["P-384"]

    assert opened(make_jwe(private.public_key(), alg, enc), private) == OPTIONS


@pytest.mark.parametrize("alg", ["ECDH-ES+A128KW", "ECDH-ES+A256KW"])
def test_other_key_wraps_are_read(alg):
    private = PRIVATE["P-256"]

    assert opened(make_jwe(private.public_key(), alg, "A256GCM"), private) == OPTIONS


@pytest.mark.parametrize("more", [{"compact": True}, {"zip": "DEF"}, {"kid": "k"}])
def test_other_forms_are_read(rsa_key, more):
    assert opened(make_jwe(rsa_key.public_key(), "RSA-OAEP", "A256GCM", **more), rsa_key) == OPTIONS


def test_inflating_is_bounded(rsa_key):
    bomb = make_jwe(rsa_key.public_key(), "RSA-OAEP", "A256GCM", bytes(1 << 24), zip="DEF")

    with pytest.raises(ImageError, match="too big"):
        opened(bomb, rsa_key)


def test_unknown_critical_extension_is_refused(rsa_key):
    data = make_jwe(rsa_key.public_key(), "RSA-OAEP", "A256GCM", crit=["exp"], exp=1)

    with pytest.raises(jwe.NotForThisKey):
        opened(data, rsa_key)


def test_wrong_keys_open_nothing(rsa_key):
    for_rsa = jwe.wrap([wrapped_for(rsa_key)], OPTIONS)
    for_ec = jwe.wrap([wrapped_for(PRIVATE["P-256"])], OPTIONS)

    for data, private in [
        (for_rsa, PRIVATE["P-256"]),
        (for_rsa, rsa.generate_private_key(65537, 2048)),
        (for_ec, rsa_key),
        (for_ec, ec.generate_private_key(ec.SECP256R1())),
        (for_ec, PRIVATE["P-384"]),
    ]:
        with pytest.raises(jwe.NotForThisKey):
            opened(data, private)


@pytest.mark.parametrize("field", ["protected", "encrypted_key", "iv", "ciphertext", "tag"])
@pytest.mark.parametrize("enc", ["A256GCM", "A256CBC-HS512"])
def test_each_field_tampered_is_refused(field, enc):
    private = PRIVATE["P-256"]
    value = json.loads(make_jwe(private.public_key(), "ECDH-ES+A256KW", enc))
    data = bytearray(jwe.decode(value[field]))
    # a changed blank in the header is still JSON, only the tag tells
    place = data.index(b" ") if field == "protected" else 3
    data[place] = ord("\t") if field == "protected" else data[place] ^ 1
    value[field] = url(bytes(data))

    with pytest.raises(jwe.NotForThisKey):
        opened(json.dumps(value).encode(), private)


@pytest.mark.parametrize("field", ["encrypted_key", "iv", "ciphertext", "tag"])
@pytest.mark.parametrize("alg", ["RSA-OAEP", "ECDH-ES+A256KW"])
def test_each_field_emptied_or_cut_is_refused(rsa_key, field, alg):
    private = rsa_key if alg == "RSA-OAEP" else PRIVATE["P-256"]
    whole = json.loads(jwe.wrap([wrapped_for(private)], OPTIONS))

    for value in ("", whole[field][:8]):
        with pytest.raises(jwe.NotForThisKey):
            opened(json.dumps({**whole, field: value}).encode(), private)


def test_damaged_entry_does_not_hide_a_good_one(rsa_key):
    value = json.loads(jwe.wrap([wrapped_for(PRIVATE["P-256"]), wrapped_for(rsa_key)], OPTIONS))
    damaged = value["recipients"][0]["header"]["epk"]
    damaged["x"] = damaged["y"]
    bad_party = {"alg": "ECDH-ES", "epk": ALICE, "apu": "*"}
    value["recipients"].insert(0, {"header": bad_party, "encrypted_key": ""})
    data = json.dumps(value).encode()

    assert opened(data, rsa_key) == OPTIONS
    with pytest.raises(jwe.NotForThisKey):
        opened(data, PRIVATE["P-256"])


def test_point_off_the_curve_is_refused():
    with pytest.raises(ImageError, match="not on its curve"):
        jwe.parse_ec_jwk({**ALICE, "y": ALICE["x"]})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\x00",
        b"a.b.c",
        b"a.b.c.d.e",
        b"{}",
        b"{",
        b"[]",
        b'{"protected":7}',
        b'{"protected":"e30","iv":"","ciphertext":"","tag":"","recipients":[]}',
        b'{"protected":"e30","recipients":[{"header":{"alg":["x"]}}]}',
        b'{"protected":"e30","recipients":[1]}',
        b'{"unprotected":{"alg":"RSA-OAEP"},"aad":"\\ud800"}',
        b'{"unprotected":{"alg":"RSA-OAEP"},"aad":5}',
        b'{"unprotected":{"alg":"RSA-OAEP"},"iv":"\\u00e9"}',
        b'{"iv":"","iv":""}',
        b"[" * 100_000,
    ],
)
def test_garbage_is_an_image_error(data):
    with pytest.raises(ImageError):
        jwe.parse(data)


def test_too_many_recipients_are_refused(rsa_key):
    value = json.loads(jwe.wrap([wrapped_for(rsa_key)] * 2, OPTIONS))
    value["recipients"] *= 200

    with pytest.raises(ImageError, match="400 recipients"):
        jwe.parse(json.dumps(value).encode())


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_changed_bytes_never_crash_nor_open_to_something_else(data):
    private = PRIVATE["P-256"]
    whole = bytearray(jwe.wrap([wrapped_for(private)] * 2, OPTIONS))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    try:
        plain = opened(bytes(whole), private)
    except (ImageError, jwe.NotForThisKey):
        return
    assert plain == OPTIONS


def test_entry_can_be_taken_out_of_what_go_jose_wrote(shared):
    peers = shared / "fixtures" / "peers"
    packet = encrypted_layers(peers / "enc" / "jwe-rsa-and-ec.skopeo-1.22")[0]
    whole = base64.b64decode(packet["org.opencontainers.image.enc.keys.jwe"])
    rsa_private, ec_private = (
        load_private((peers / "keys" / name).read_bytes(), name, None)
        for name in ("rsa3072.pem", "ec-secp384r1.pem")
    )

    left = jwe.without_entry(whole, 0)

    assert opened(whole, rsa_private).startswith(b'{"symkey"')
    assert opened(left, ec_private) == opened(whole, ec_private)
    assert "encrypted_key" not in json.loads(left)
    with pytest.raises(jwe.NotForThisKey):
        opened(left, rsa_private)
