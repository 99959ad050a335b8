"""Passing gigabytes once: sinks that hash, cipher, compress and write chunk by chunk.

Several sinks may look at a chunk at the same time. ``hashlib``, ``hmac``, zlib and ``update_into``
release the interpreter's lock, so a sink in a thread of its own (``Threaded``) uses another core.
Queues are short, so that memory stays flat, and buffers are used again (``_Ring``): a sink must be
done with a chunk when its ``write`` returns.
"""

import contextlib
import hashlib
import hmac
import itertools
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, Protocol

import zstandard
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from isal import igzip_lib, isal_zlib

from kataui.errors import ImageError
from kataui.files import CHUNK_BYTES, problem_text
from kataui.progress import Control

Chunk = bytes | bytearray | memoryview
_QUEUE_CHUNKS = 8
_GZIP_WINDOW_BITS = 31  # zlib manual: 15 + 16 selects the gzip wrapper
_AES_BLOCK_BYTES = 16
_INFLATE_BYTES = 1 << 18  # what the inflater copies at once


class _Ring:
    """Buffers used in turn; a fresh one for each chunk costs page faults, a tenth of the time.

    A buffer comes round again when every lane has let go of it: a lane holds at most its queue and
    the chunk that it works on, and the feeder one more.
    """

    def __init__(self, size_bytes: int) -> None:
        self._buffers = itertools.cycle([bytearray(size_bytes) for _ in range(_QUEUE_CHUNKS + 3)])

    def take(self) -> bytearray:
        """The buffer that was not used for the longest time."""
        return next(self._buffers)


class Sink(Protocol):
    """Takes chunks in order, then ``finish`` once."""

    def write(self, chunk: Chunk, /) -> object:
        """Take the next chunk."""

    def finish(self) -> None:
        """No more chunks; raises when what was written is not whole."""


class Hash:
    """SHA-256 of everything written."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()
        self.write = self._state.update

    def finish(self) -> None:
        """Nothing to do: the digest can be read at any time."""

    @property
    def hex(self) -> str:
        """The digest in hexadecimal."""
        return self._state.hexdigest()


class Mac:
    """HMAC-SHA-256 of everything written."""

    def __init__(self, key: bytes) -> None:
        self._state = hmac.new(key, digestmod="sha256")
        self.write = self._state.update

    def finish(self) -> None:
        """Nothing to do: the value can be read at any time."""

    @property
    def value(self) -> bytes:
        """The 32 bytes."""
        return self._state.digest()


class Count:
    """How many bytes were written."""

    def __init__(self) -> None:
        self.size_bytes = 0

    def write(self, chunk: Chunk) -> None:
        """Count."""
        self.size_bytes += len(chunk)

    def finish(self) -> None:
        """Nothing to do."""


class Head:
    """Keeps the first bytes, to see what kind of file it is."""

    def __init__(self, size_bytes: int = 512) -> None:
        self._wanted = size_bytes
        self.data = b""

    def write(self, chunk: Chunk) -> None:
        """Keep what is still missing."""
        if len(self.data) < self._wanted:
            self.data += bytes(chunk[: self._wanted - len(self.data)])

    def finish(self) -> None:
        """Nothing to do."""


class Tee:
    """Hands each chunk to several sinks."""

    def __init__(self, *sinks: Sink) -> None:
        self._sinks = sinks

    def write(self, chunk: Chunk) -> None:
        """Hand on."""
        for sink in self._sinks:
            sink.write(chunk)

    def finish(self) -> None:
        """Finish all, in order."""
        for sink in self._sinks:
            sink.finish()


class ToFile:
    """Writes to an open file that somebody else closes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.write = stream.write

    def finish(self) -> None:
        """Flush what is buffered."""
        self._stream.flush()


class Ctr:
    """AES-256-CTR, which is its own inverse; ``nonce`` is the whole first counter block.

    Source: NIST SP 800-38A 6.5; ocicrypt blockcipher_aes_ctr.go.
    """

    def __init__(self, key: bytes, nonce: bytes, sink: Sink) -> None:
        self._cipher = Cipher(algorithms.AES(key), modes.CTR(nonce)).encryptor()
        self._sink = sink
        self._ring = _Ring(CHUNK_BYTES + _AES_BLOCK_BYTES - 1)

    def write(self, chunk: Chunk) -> None:
        """Cipher the chunk and hand it on; ``update_into`` does not stall other threads."""
        view = memoryview(chunk)
        for start in range(0, len(view), CHUNK_BYTES):
            buffer = self._ring.take()
            size = self._cipher.update_into(view[start : start + CHUNK_BYTES], buffer)
            self._sink.write(memoryview(buffer)[:size])

    def finish(self) -> None:
        """Finish what comes after."""
        self._cipher.finalize()
        self._sink.finish()


class Gzip:
    """Compresses to gzip, the same bytes for the same input (no time stamp, no name)."""

    _LEVEL = 2  # of isa-l's 0..3: near zlib's default in size, several times as fast

    def __init__(self, sink: Sink) -> None:
        self._state = isal_zlib.compressobj(self._LEVEL, wbits=_GZIP_WINDOW_BITS)
        self._sink = sink

    def write(self, chunk: Chunk) -> None:
        """Compress and hand on."""
        packed = self._state.compress(chunk)
        if packed:
            self._sink.write(packed)

    def finish(self) -> None:
        """Hand on the rest."""
        self._sink.write(self._state.flush())
        self._sink.finish()


class Gunzip:
    """Inflates gzip with any number of members; trailing zeros are padding (RFC 1952, 2.2)."""

    def __init__(self, sink: Sink, control: Control) -> None:
        self._sink = sink
        self._control = control
        self._state = self._new()
        self._fresh = True  # no byte of the current member seen yet
        self._members = 0

    @staticmethod
    def _new() -> igzip_lib.IgzipDecompressor:
        return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)

    def write(self, chunk: Chunk) -> None:
        """Inflate in pieces of at most one chunk, so that a bomb cannot fill the memory."""
        view = memoryview(chunk)
        for start in range(0, len(view), _INFLATE_BYTES):
            rest: Chunk = view[start : start + _INFLATE_BYTES]
            while rest:
                rest = self._member(rest)

    def _member(self, data: Chunk) -> bytes:
        """Inflate until the data or the member ends; gives what comes after the member."""
        if self._fresh and self._members:
            data = bytes(data).lstrip(b"\0")
            if not data:
                return b""
        self._fresh = False
        try:
            plain = self._state.decompress(data, CHUNK_BYTES)
            while plain or not (self._state.needs_input or self._state.eof):
                self._control.check()
                self._sink.write(plain)
                if self._state.needs_input or self._state.eof:
                    break
                plain = self._state.decompress(b"", CHUNK_BYTES)
        except igzip_lib.IsalError as error:  # type: ignore[misc] # its stub names an instance
            raise ImageError("A layer is not the gzip file that it says it is.") from error
        if not self._state.eof:
            return b""
        rest: bytes = self._state.unused_data
        self._state = self._new()
        self._fresh = True
        self._members += 1
        return rest

    def finish(self) -> None:
        """Refuse a stream that was cut."""
        if not self._fresh or not self._members:
            raise ImageError("A layer's gzip file is cut short.")
        self._sink.finish()


class Unzstd:
    """Inflates zstd with any number of frames (RFC 8878)."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._open = False
        self._frames = 0
        self._state = self._new()

    @staticmethod
    def _new() -> Any:
        # 128 MiB window: the most that containers/image writes; more is refused
        return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()

    def write(self, chunk: Chunk) -> None:
        """Inflate and hand on; small pieces of input bound what one call can give."""
        for start in range(0, len(chunk), 1 << 14):
            rest = bytes(chunk[start : start + (1 << 14)])
            while rest:
                rest = self._inflate(rest)

    def _inflate(self, data: bytes) -> bytes:
        self._open = True
        try:
            plain = self._state.decompress(data)
        except zstandard.ZstdError as error:
            raise ImageError("A layer is not the zstd file that it says it is.") from error
        if plain:
            self._sink.write(plain)
        if not self._state.eof:
            return b""
        rest: bytes = self._state.unused_data
        self._state = self._new()
        self._open = False
        self._frames += 1
        return rest

    def finish(self) -> None:
        """Refuse a stream that was cut."""
        if self._open or not self._frames:
            raise ImageError("A layer's zstd file is cut short.")
        self._sink.finish()


class Threaded:
    """A sink that runs in a thread of its own; made by ``lanes``, which joins it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._queue: queue.Queue[Chunk | None] = queue.Queue(_QUEUE_CHUNKS)
        self._error: Exception | None = None
        self._aborted = False
        self._thread = threading.Thread(target=self._run, name="image-stream", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (chunk := self._queue.get()) is not None:
            if self._error is None and not self._aborted:
                try:
                    self._sink.write(chunk)
                except Exception as error:  # noqa: BLE001 - raised again in the feeding thread
                    self._error = error

    def write(self, chunk: Chunk) -> None:
        """Queue the chunk; an error of the sink is raised here or in ``finish``."""
        if self._error is not None:
            raise self._error
        self._queue.put(chunk)

    def finish(self) -> None:
        """Wait for the thread, then finish the sink."""
        self._queue.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error
        self._sink.finish()

    def abort(self) -> None:
        """Let the thread end without doing the rest."""
        self._aborted = True
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()


@contextlib.contextmanager
def lanes() -> Iterator[Callable[[Sink], Sink]]:
    """Give a function that runs a sink in a thread; all threads end with the block."""
    running: list[Threaded] = []

    def lane(sink: Sink) -> Sink:
        threaded = Threaded(sink)
        running.append(threaded)
        return threaded

    try:
        yield lane
    finally:
        for threaded in reversed(running):  # feeders were made last and stop first
            threaded.abort()


def pump(
    stream: BinaryIO, sinks: Sequence[Sink], *, on_bytes: Callable[[int], None], what: str
) -> int:
    """Read ``stream`` to its end into all sinks; gives the number of bytes read.

    ``on_bytes`` is called with the size of each chunk and may raise ``Cancelled``. Raises
    ``ImageError`` naming ``what`` when reading fails, and whatever a sink raises.
    """
    total = 0
    sink = Tee(*sinks)
    ring = _Ring(CHUNK_BYTES)
    while True:
        buffer = ring.take()
        try:
            size = stream.readinto(buffer)  # type: ignore[attr-defined] # every blob has it
        except OSError as error:
            raise ImageError(f"Cannot read {what}: {problem_text(error)}.") from error
        if not size:
            break
        total += size
        sink.write(memoryview(buffer)[:size])
        on_bytes(size)
    sink.finish()
    return total
