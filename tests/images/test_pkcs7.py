import base64
import dataclasses
import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.errors import ImageError
from kataui.images import der, pkcs7
from kataui.images.jwe import NotForThisKey
from kataui.images.keyfiles import load_certificate
from tests.images.wrapping import OPTIONS, STEM, encrypted_layers, flipped, private_key


@pytest.fixture(scope="module")
def pair(keys):
    return private_key(keys.certificate_key), load_certificate(keys.certificate)


def certify(key, subject, issuer):
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


def opened(data, key, *certificates):
    return pkcs7.unwrap(pkcs7.parse(data), key, certificates)


def test_round_trip(pair):
    key, certificate = pair

    assert opened(pkcs7.wrap([certificate], OPTIONS), key, certificate) == OPTIONS


def test_two_recipients_share_a_message_and_each_opens_it(pair):
    key, certificate = pair
    other = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "other")])
    theirs = certify(other, name, name)

    data = pkcs7.wrap([certificate, theirs], OPTIONS)

    assert opened(data, key, certificate) == OPTIONS
    assert opened(data, other, certificate, theirs) == OPTIONS


def test_written_form_is_the_odd_one_of_ocicrypt(pair):
    _, certificate = pair

    kind, wrapper = der.read_one(pkcs7.wrap([certificate], OPTIONS)).children()

    assert kind.content.hex() == "2a864886f70d010703"
    _, recipients, content = wrapper.children()[0].children()
    _, who, algorithm, wrapped = recipients.children()[0].children()
    assert who.children()[0].raw == certificate.issuer.public_bytes()
    assert algorithm.raw.hex() == "300b06092a864886f70d010101"  # no NULL after the OID
    assert len(wrapped.content) == 384
    _, cipher, sealed = content.children()
    assert cipher.children()[0].content.hex() == "608648016503040106"
    parameters = cipher.children()[1]
    assert parameters.raw[:2].hex() == "1013"  # the SEQUENCE that is written as primitive
    assert parameters.content[:4].hex() == "3011840c"
    assert parameters.content[-3:].hex() == "020110"
    assert sealed.tag == 0x80
    assert len(sealed.content) == len(OPTIONS) + 16


def test_older_form_with_an_octet_string_inside_is_read(pair):
    key, certificate = pair
    outer = der.read_one(pkcs7.wrap([certificate], OPTIONS))
    kind, wrapper = outer.children()
    version, recipients, content = wrapper.children()[0].children()
    data_type, cipher, sealed = content.children()
    older = der.make(0xA0, der.make(der.OCTETS, sealed.content))
    body = der.make(der.SEQUENCE, data_type.raw, cipher.raw, older)
    inner = der.make(der.SEQUENCE, version.raw, recipients.raw, body)

    data = der.make(der.SEQUENCE, kind.raw, der.make(0xA0, inner))

    assert opened(data, key, certificate) == OPTIONS


def test_key_without_its_certificate_opens_nothing(pair):
    key, certificate = pair
    data = pkcs7.wrap([certificate], OPTIONS)

    with pytest.raises(NotForThisKey):
        opened(data, key)
    with pytest.raises(NotForThisKey):
        opened(data, rsa.generate_private_key(65537, 2048), certificate)


def test_another_certificate_of_the_same_key_is_not_addressed(pair):
    key, certificate = pair
    again = certify(key, certificate.subject, certificate.issuer)

    with pytest.raises(NotForThisKey):
        opened(pkcs7.wrap([certificate], OPTIONS), key, again)


def test_issuer_is_compared_not_the_subject(pair):
    key, _ = pair
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leaf")])
    issuer = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CZ"),
            x509.NameAttribute(NameOID.COMMON_NAME, "authority"),
        ]
    )
    leaf = certify(key, subject, issuer)

    data = pkcs7.wrap([leaf], OPTIONS)

    who, _ = pkcs7.parse(data).recipients[0]
    assert who.text() == f"authority #{leaf.serial_number:x}"
    assert opened(data, key, leaf) == OPTIONS


@pytest.mark.parametrize("place", ["key", "nonce", "content", "tag"])
def test_each_part_tampered_is_refused(pair, place):
    key, certificate = pair
    data = pkcs7.wrap([certificate], OPTIONS)
    message = pkcs7.parse(data)
    wanted = {
        "key": message.recipients[0][1],
        "nonce": message.parameters.content[4:16],
        "content": message.content[:16],
        "tag": message.content[-16:],
    }[place]

    with pytest.raises(NotForThisKey):
        opened(flipped(data, data.index(wanted) + 2), key, certificate)


@pytest.mark.parametrize("parameters", ["3000", "1000", "10023000", "10023100", "0500"])
def test_odd_parameters_of_the_cipher_open_nothing(pair, parameters):
    key, certificate = pair
    message = pkcs7.parse(pkcs7.wrap([certificate], OPTIONS))
    odd = dataclasses.replace(message, parameters=der.read_one(bytes.fromhex(parameters)))

    with pytest.raises(NotForThisKey):
        pkcs7.unwrap(odd, key, [certificate])


@pytest.mark.parametrize("version", ["1.9", "1.22"])
def test_messages_of_skopeo_open_and_name_their_certificate(shared, version):
    peers = shared / "fixtures" / "peers"
    key = private_key(peers / "keys" / "pkcs7.key.pem")
    certificate = load_certificate(str(peers / "keys" / "pkcs7.cert.pem"))

    for layer in encrypted_layers(peers / "enc" / f"pkcs7.skopeo-{version}"):
        data = base64.b64decode(layer[f"{STEM}pkcs7"])
        assert opened(data, key, certificate).startswith(b'{"symkey"')
        who = pkcs7.parse(data).recipients[0][0]
        assert who.matches(certificate)
        assert who.text().endswith(f"#{certificate.serial_number:x}")


@pytest.mark.parametrize(
    "data",
    [
        "",
        "30",
        "3080",
        "3000",
        "30820fff",
        "3005060100a000",
        "300f06092a864886f70d010703a0023000",
        "301006092a864886f70d010702a003300102",
    ],
)
def test_garbage_is_an_image_error(data):
    with pytest.raises(ImageError):
        pkcs7.parse(bytes.fromhex(data))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_changed_bytes_never_crash_nor_open_to_something_else(pair, data):
    key, certificate = pair
    whole = bytearray(pkcs7.wrap([certificate], OPTIONS))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    whole = whole[: data.draw(st.sampled_from([len(whole), len(whole) // 2]))]

    try:
        message = pkcs7.parse(bytes(whole))
        texts = [who.text() for who, _ in message.recipients]
        plain = pkcs7.unwrap(message, key, [certificate])
    except (ImageError, NotForThisKey):
        return
    assert len(texts) == 1
    assert plain == OPTIONS
