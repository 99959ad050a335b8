import pytest

from kataui.images import der


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_lengths_of_every_form_round_trip(size):
    node = der.read_one(der.make(der.OCTETS, bytes(size)))

    assert node.tag == der.OCTETS
    assert node.content == bytes(size)


def test_lengths_are_written_in_the_shortest_form():
    assert der.make(4, bytes(127))[:2].hex() == "047f"
    assert der.make(4, bytes(128))[:3].hex() == "048180"
    assert der.make(4, bytes(256))[:4].hex() == "04820100"


@pytest.mark.parametrize(
    ("value", "written"), [(0, "020100"), (127, "02017f"), (128, "02020080"), (256, "02020100")]
)
def test_integers_are_never_negative(value, written):
    assert der.integer(value).hex() == written


@pytest.mark.parametrize("data", ["", "04", "0401", "0480", "0485", "04850000000001", "048201"])
def test_cut_or_unsupported_lengths_are_refused(data):
    with pytest.raises(der.DerError):
        der.read_one(bytes.fromhex(data))


def test_bytes_after_the_end_are_refused():
    with pytest.raises(der.DerError):
        der.read_one(bytes.fromhex("04010000"))
