"""How fast this computer encrypts and proves layers, measured in a fifth of a second."""

import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from kataui.images import streams
from kataui.progress import Control

_EACH_S = 0.1
_SAMPLE_BYTES = 8 << 20
_KEY, _NONCE = bytes(32), bytes(16)  # of no secret: what is ciphered is thrown away


@dataclass(frozen=True, slots=True)
class Speed:
    """Stored bytes a second; the disk is not in it. ``took_s`` is how long measuring took."""

    encrypt_bytes_per_s: float
    open_bytes_per_s: float
    took_s: float


class _Nowhere:
    """Takes everything and keeps nothing."""

    def write(self, _chunk: streams.Chunk) -> None:
        """Throw away."""

    def finish(self) -> None:
        """Nothing to do."""


def measure_speed(control: Control) -> Speed:
    """Run the very passes of encrypting and of opening over a sample in memory, for 0.2 s.

    The sample is half random and half text, packed with gzip, as layers are.
    """
    begin_s = time.perf_counter()
    packed = io.BytesIO()
    gzip = streams.Gzip(streams.ToFile(packed))
    text = b"/usr/lib/python3/dist-packages/kata/runtime.py\n" * 1000
    while packed.tell() < _SAMPLE_BYTES:
        gzip.write(os.urandom(len(text)) + text)
    gzip.finish()
    sample = packed.getvalue()
    encrypt = _rate(sample, lambda data: _encrypt(data, control))
    opened = _rate(sample, lambda data: _open(data, control))
    return Speed(encrypt, opened, time.perf_counter() - begin_s)


def _rate(sample: bytes, work: Callable[[bytes], None]) -> float:
    done, begin_s = 0, time.perf_counter()
    while (passed_s := time.perf_counter() - begin_s) < _EACH_S:
        work(sample)
        done += len(sample)
    return done / passed_s


def _encrypt(data: bytes, control: Control) -> None:
    """As ``LayerWriter.encrypt``: cipher, HMAC, and the digest of what comes out."""
    with streams.lanes() as lane:
        out = streams.Tee(lane(streams.Hash()), _Nowhere())
        sink = streams.Ctr(_KEY, _NONCE, streams.Tee(lane(streams.Mac(_KEY)), out))
        _pump(data, [sink], control)


def _open(data: bytes, control: Control) -> None:
    """As the proof and a guest do: digest, HMAC, decipher, unpack, diff_id."""
    with streams.lanes() as lane:
        unpacked = lane(streams.Gunzip(lane(streams.Hash()), control))
        plain = streams.Ctr(_KEY, _NONCE, lane(streams.Hash()))
        _pump(data, [lane(streams.Hash()), lane(streams.Mac(_KEY)), plain, unpacked], control)


def _pump(data: bytes, sinks: list[streams.Sink], control: Control) -> None:
    streams.pump(io.BytesIO(data), sinks, on_bytes=lambda _: control.check(), what="the sample")
