"""Who can decrypt, told without a key; and taking somebody out."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.errors import KeyProblem, WrongKey
from kataui.images import der, kbs, pkcs7, pkcs11
from kataui.images.keyfiles import load_certificate
from kataui.images.keymaking import new_key
from kataui.images.keys import unwrap_options
from kataui.images.recipients import (
    list_recipients,
    merge_annotations,
    parse_recipient,
    wrap_options,
)
from kataui.images.removal import remove_recipients
from tests.images.wrapping import BROKER, OPTIONS, STEM, b64, encrypted_layers, jwk_of, ring

JWE, PKCS7, PGP, PKCS11 = (STEM + name for name in ("jwe", "pkcs7", "pgp", "pkcs11"))


def test_everybody_is_listed_without_a_key(keys, monkeypatch):
    monkeypatch.delenv(pkcs11.HASH_VARIABLE, raising=False)
    specs = [
        keys.recipient,
        keys.other_recipient,
        f"pkcs7:{keys.certificate}",
        f"pkcs11:{keys.folder / 'rsa.pub'}",
        keys.broker,
    ]

    listed = list_recipients(wrap_options([parse_recipient(spec) for spec in specs], OPTIONS))

    serial = load_certificate(keys.certificate).serial_number
    assert [(i.scheme.value, i.name, i.detail, i.selector) for i in listed] == [
        ("jwe", "recipient 1", "RSA-OAEP", "jwe#1"),
        ("jwe", "recipient 2", "ECDH-ES+A256KW P-256", "jwe#2"),
        ("pkcs7", f"cert #{serial:x}", "RSA certificate", "pkcs7#1"),
        ("pkcs11", "recipient 1", "RSA, sha256", "pkcs11#1"),
        (
            "provider",
            "kbs:///default/image-key/test",
            "A256GCM",
            "kbs:///default/image-key/test",
        ),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("jwe-rsa3072", [("jwe", "RSA-OAEP")]),
        ("jwe-ec-secp521r1", [("jwe", "ECDH-ES+A256KW P-521")]),
        ("jwe-rsa-and-ec", [("jwe", "RSA-OAEP"), ("jwe", "ECDH-ES+A256KW P-384")]),
        ("jwe-and-pkcs7", [("jwe", "RSA-OAEP"), ("pkcs7", "RSA certificate")]),
        ("pgp", [("pgp", "key id")]),
        ("pkcs11", [("pkcs11", "RSA, sha1")]),
        ("provider-attestation-agent", [("provider", "A256GCM")]),
    ],
)
def test_recipients_of_skopeos_images_are_listed(shared, name, expected):
    for layer in encrypted_layers(shared / "fixtures" / "peers" / "enc" / f"{name}.skopeo-1.22"):
        assert [(i.scheme.value, i.detail) for i in list_recipients(layer)] == expected


def test_key_management_service_is_told():
    packet = {"kid": "k", "wrapped_data": "AAAA", "provider": "aliyun", "annotations": {}}

    (info,) = list_recipients({BROKER: b64(json.dumps(packet).encode())})

    assert (info.name, info.detail) == ("k", "by aliyun")


@pytest.mark.parametrize("name", [JWE, PKCS7, PGP, PKCS11, BROKER])
@pytest.mark.parametrize("value", ["", "*", "é", "AAAA", b64(b"{}"), b64(b"\x30\x00"), ","])
def test_garbage_is_listed_as_unreadable(name, value):
    listed = list_recipients({name: value, "other": "x"})

    assert listed
    assert {info.detail for info in listed} == {"cannot be read"}


def test_issuer_without_a_name_is_listed(keys):
    message = pkcs7.wrap([load_certificate(keys.certificate)], OPTIONS)
    who, _ = pkcs7.parse(message).recipients[0]
    nameless = der.make(der.SEQUENCE, b"")

    assert pkcs7.Addressee(nameless, who.serial).text().startswith("? #")


def test_text_from_outside_is_cleaned():
    packet = {"kid": "kbs:///\x1b[31m\u202e/b/c", "wrapped_data": "AAAA", "wrap_type": "\x07"}

    (info,) = list_recipients({BROKER: b64(json.dumps(packet).encode())})

    assert not any(char in info.name + info.detail for char in "\x1b\u202e\x07")


def test_thousands_of_packets_are_listed_in_no_time():
    assert len(list_recipients({JWE: "," * 50_000})) == 50_001


@given(st.sampled_from([JWE, PKCS7, PGP, PKCS11, BROKER]), st.binary(max_size=60))
@settings(max_examples=150, deadline=None)
def test_listing_never_raises(name, data):
    assert list_recipients({name: b64(data)})


# Removing


@pytest.fixture(scope="module")
def shared_packet(keys):
    people = [parse_recipient(keys.recipient), parse_recipient(keys.other_recipient)]
    return wrap_options(people, OPTIONS)


def test_one_of_a_shared_jwe_is_taken_out(keys, shared_packet):
    left = remove_recipients({"kept": "x", **shared_packet}, ["jwe#1"])

    assert left["kept"] == "x"
    assert unwrap_options(left, ring(keys.other_private)) == OPTIONS
    with pytest.raises(WrongKey):
        unwrap_options(left, ring(keys.private))
    assert [info.detail for info in list_recipients(left)] == ["ECDH-ES+A256KW P-256"]


def test_two_of_three_in_a_shared_jwe_are_taken_out(keys):
    people = [keys.recipient, keys.recipient, keys.other_recipient]
    packet = wrap_options([parse_recipient(person) for person in people], OPTIONS)

    left = remove_recipients(packet, ["jwe#2", "jwe#1"])

    assert [info.detail for info in list_recipients(left)] == ["ECDH-ES+A256KW P-256"]
    assert unwrap_options(left, ring(keys.other_private)) == OPTIONS


def test_packet_is_removed_whole_and_the_numbers_run_over_packets(keys, shared_packet):
    third = wrap_options([parse_recipient(keys.recipient)], OPTIONS)
    merged = merge_annotations(shared_packet, third)

    assert remove_recipients(merged, ["jwe#3"]) == shared_packet
    assert remove_recipients(merged, ["jwe#1", "jwe#2"]) == third


def test_scheme_kid_name_and_certificate_select(keys, tmp_path):
    path = tmp_path / "k.jwk"
    path.write_text(json.dumps(jwk_of(keys.private, kid="team-1")))
    parts = {
        "jwe": wrap_options([parse_recipient(f"jwe:{path}")], OPTIONS),
        "pkcs7": wrap_options([parse_recipient(f"pkcs7:{keys.certificate}")], OPTIONS),
        "provider": wrap_options([parse_recipient(keys.broker)], OPTIONS),
    }
    whole = {name: value for part in parts.values() for name, value in part.items()}

    for selector, gone in [
        ("jwe", "jwe"),
        ("team-1", "jwe"),
        ("pkcs7", "pkcs7"),
        (f"pkcs7:{keys.certificate}", "pkcs7"),
        ("provider", "provider"),
        ("kbs:///default/image-key/test", "provider"),
        (keys.broker, "provider"),
    ]:
        left = remove_recipients(whole, [selector])
        assert set(left) == set(whole) - set(parts[gone])


def test_pgp_key_id_selects(shared):
    layer = encrypted_layers(shared / "fixtures" / "peers" / "enc" / "pgp.skopeo-1.22")[0]
    both = merge_annotations(layer, {BROKER: b64(kbs.wrap("kbs:///a/b/c", os.urandom(32), b"{}"))})
    key_id = list_recipients(layer)[0].name

    assert PGP not in remove_recipients(both, [key_id])


@pytest.mark.parametrize(
    "selector", ["jwe#3", "pkcs7", "recipient 1", "", "kbs:///a/b/c", "nobody"]
)
def test_selector_that_names_nobody_is_refused(shared_packet, selector):
    with pytest.raises(KeyProblem, match="names no recipient") as problem:
        remove_recipients(shared_packet, [selector])

    assert "jwe#1, jwe#2" in problem.value.hint


@pytest.mark.parametrize("selectors", [["jwe"], ["jwe#1", "jwe#2"]])
def test_nobody_left_is_refused(shared_packet, selectors):
    with pytest.raises(KeyProblem, match="Nobody would be left"):
        remove_recipients(shared_packet, selectors)


@pytest.fixture(scope="module")
def more_keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("more")
    for name, kind, algorithm in (
        *(("cert2", "pkcs7", ""), ("rsa2", "jwe", "rsa-3072"), ("rsa3", "jwe", "rsa-3072")),
        ("p384", "jwe", "p384"),
    ):
        new_key(kind, folder / name, algorithm=algorithm)
    return folder


def test_one_of_a_shared_pkcs7_is_taken_out(keys, more_keys):
    certificates = [keys.certificate, more_keys / "cert2.crt"]
    people = [parse_recipient(f"pkcs7:{path}") for path in certificates]
    stays = ring(more_keys / "cert2.key", more_keys / "cert2.crt")

    left = remove_recipients(wrap_options(people, OPTIONS), [f"pkcs7:{keys.certificate}"])

    assert unwrap_options(left, stays) == OPTIONS
    with pytest.raises(WrongKey):
        unwrap_options(left, ring(keys.certificate_key, keys.certificate))


def test_one_of_a_shared_pkcs11_is_taken_out(keys, more_keys, monkeypatch):
    monkeypatch.delenv(pkcs11.HASH_VARIABLE, raising=False)
    public = [keys.folder / "rsa.pub", more_keys / "rsa2.pub"]
    people = [parse_recipient(f"pkcs11:{path}") for path in public]
    both = wrap_options(people, OPTIONS)

    left = remove_recipients(both, [f"pkcs11:{public[1]}"], ring=ring(keys.private))

    assert left == remove_recipients(both, ["pkcs11#2"])
    assert unwrap_options(left, ring(keys.private)) == OPTIONS
    with pytest.raises(WrongKey):
        unwrap_options(left, ring(more_keys / "rsa2.key"))


def test_public_key_names_who_its_private_key_is(keys, more_keys):
    people = [keys.recipient, f"jwe:{more_keys / 'rsa2.pub'}", keys.other_recipient]
    packet = wrap_options([parse_recipient(person) for person in people], OPTIONS)

    left = remove_recipients(packet, [people[1]], ring=ring(more_keys / "rsa2.key"))

    assert left == remove_recipients(packet, ["jwe#2"])


def test_public_key_names_the_only_one_who_is_not_known(keys, more_keys):
    people = [keys.recipient, f"jwe:{more_keys / 'rsa2.pub'}", keys.other_recipient]
    packet = wrap_options([parse_recipient(person) for person in people], OPTIONS)

    assert remove_recipients(packet, [people[1]], ring=ring(keys.private)) == remove_recipients(
        packet, ["jwe#2"]
    )
    assert remove_recipients(packet, [people[2]]) == remove_recipients(packet, ["jwe#3"])


def test_public_key_that_could_be_several_or_nobody_is_refused(keys, more_keys):
    people = [keys.recipient, f"jwe:{more_keys / 'rsa2.pub'}"]
    packet = wrap_options([parse_recipient(person) for person in people], OPTIONS)

    for public, private in (
        (people[1], ring()),  # either of two
        (f"jwe:{more_keys / 'rsa3.pub'}", ring(more_keys / "rsa3.key")),  # known to be neither
        (f"jwe:{more_keys / 'p384.pub'}", ring()),  # of another kind than both
        (f"pkcs11:{more_keys / 'rsa2.pub'}", ring()),
    ):
        with pytest.raises(KeyProblem, match="cannot be told which recipient"):
            remove_recipients(packet, [public], ring=private)


def test_unreadable_packets_can_be_removed(keys):
    good = wrap_options([parse_recipient(keys.recipient)], OPTIONS)
    bad = merge_annotations(good, {JWE: "AAAA", BROKER: "*"})

    assert remove_recipients(bad, ["jwe#2", "provider#1"]) == good
