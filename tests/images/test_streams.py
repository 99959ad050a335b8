import gzip
import io
import os
import zlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.errors import Cancelled, ImageError
from kataui.images import streams
from kataui.progress import Control

# NIST SP 800-38A, F.5.5 CTR-AES256.Encrypt
NIST_KEY = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
NIST_COUNTER = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
NIST_PLAIN = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
NIST_CIPHER = bytes.fromhex(
    "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
    "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"
)


class Collect:
    def __init__(self):
        self.data = bytearray()
        self.finished = False

    def write(self, chunk):
        self.data += chunk

    def finish(self):
        self.finished = True


def feed(sink, data, size):
    for start in range(0, len(data), size):
        sink.write(data[start : start + size])
    sink.finish()


@pytest.mark.parametrize("size", [1, 7, 16, 64])
def test_ctr_is_nists_whatever_the_chunks(size):
    out = Collect()

    feed(streams.Ctr(NIST_KEY, NIST_COUNTER, out), NIST_PLAIN, size)

    assert bytes(out.data) == NIST_CIPHER


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 400))
def test_gunzip_reads_every_member_like_the_standard_library(parts, size):
    packed = b"".join(gzip.compress(part) for part in parts)
    out = Collect()

    feed(streams.Gunzip(out, Control()), packed, size)

    assert bytes(out.data) == gzip.decompress(packed)
    assert out.finished


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 400))
def test_unzstd_reads_every_frame(parts, size):
    packed = b"".join(zstandard.compress(part) for part in parts)
    out = Collect()

    feed(streams.Unzstd(out), packed, size)

    assert bytes(out.data) == b"".join(parts)


def test_gunzip_takes_trailing_zeros_as_padding():
    out = Collect()

    feed(streams.Gunzip(out, Control()), gzip.compress(b"layer") + b"\0" * 700, 100)

    assert bytes(out.data) == b"layer"


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_cut_gzip_is_refused(cut):
    packed = gzip.compress(os.urandom(5000))

    with pytest.raises(ImageError, match="cut short"):
        feed(streams.Gunzip(Collect(), Control()), packed[:-cut], 512)


def test_cut_zstd_is_refused():
    packed = zstandard.compress(os.urandom(5000))

    with pytest.raises(ImageError, match="cut short"):
        feed(streams.Unzstd(Collect()), packed[:-9], 512)


@pytest.mark.parametrize("data", [b"", b"no gzip at all", gzip.compress(b"x")[:5]])
def test_what_is_no_gzip_is_refused(data):
    with pytest.raises(ImageError):
        feed(streams.Gunzip(Collect(), Control()), data, 4)


def test_gzip_gives_the_same_bytes_each_time_and_inflates():
    data = os.urandom(3000) + b"a" * 100_000
    first, second = Collect(), Collect()

    feed(streams.Gzip(first), data, 4096)
    feed(streams.Gzip(second), data, 4096)

    assert first.data == second.data
    assert zlib.decompress(bytes(first.data), wbits=31) == data


def test_a_gzip_bomb_is_inflated_in_small_pieces():
    biggest = 0

    class Measure:
        def write(self, chunk):
            nonlocal biggest
            biggest = max(biggest, len(chunk))

        def finish(self):
            pass

    feed(streams.Gunzip(Measure(), Control()), gzip.compress(bytes(50 << 20)), 1 << 20)

    assert 0 < biggest <= 1 << 20


def test_inflating_notices_cancellation_inside_a_chunk():
    control = Control()
    control.cancel()

    with pytest.raises(Cancelled):
        feed(streams.Gunzip(Collect(), control), gzip.compress(bytes(10 << 20)), 1 << 20)


def test_pump_feeds_all_sinks_and_counts():
    data = os.urandom((2 << 20) + 17)
    plain, threaded, sizes = Collect(), Collect(), []

    with streams.lanes() as lane:
        total = streams.pump(
            io.BytesIO(data), [plain, lane(threaded)], on_bytes=sizes.append, what="x"
        )

    assert total == sum(sizes) == len(data)
    assert plain.data == threaded.data == data
    assert threaded.finished


def test_an_error_in_a_thread_reaches_the_caller():
    class Full:
        def write(self, _chunk):
            raise ImageError("full")

        def finish(self):
            raise AssertionError("not finished after an error")

    with pytest.raises(ImageError, match="full"), streams.lanes() as lane:
        streams.pump(io.BytesIO(bytes(30 << 20)), [lane(Full())], on_bytes=lambda _: None, what="x")


def test_unreadable_input_is_an_image_error():
    class Broken(io.RawIOBase):
        def readinto(self, _buffer):
            raise OSError(5, "Input/output error")

    with pytest.raises(ImageError, match="Cannot read layer 3: Input/output error"):
        streams.pump(Broken(), [], on_bytes=lambda _: None, what="layer 3")
