"""A registry on this machine, for the time of a test."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def serve(crane: str, folder: Path) -> Iterator[str]:
    """Run crane's registry on a free port of the loopback; gives ``127.0.0.1:PORT``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    folder.mkdir()
    argv = [crane, "registry", "serve", "--address", address, "--disk", str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        try:
            assert any(b"serving" in line for line in process.stdout)  # printed once it listens
            yield address
        finally:
            process.terminate()
