"""What this process used of the network; in a child, for a watch cannot be taken off again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kataui.network import Used, used

_WATCHED = """
import json, socket, subprocess
from kataui import network
network.watch()
network.watch()
{act}
seen = network.used()
print(json.dumps([seen.sockets, seen.lookups, seen.open_now, dict(seen.programs), seen.nothing]))
"""


def _seen(act: str) -> list[object]:
    argv = [sys.executable, "-c", _WATCHED.format(act=act)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    seen: list[object] = json.loads(done.stdout)
    return seen


@pytest.mark.parametrize(
    ("act", "wanted"),
    [
        ("", [0, 0, 0, {}, True]),
        ("socket.socketpair()", [0, 0, 0, {}, True]),
        ("subprocess.run(['true']); subprocess.run(['true'])", [0, 0, 0, {"true": 2}, True]),
        ("socket.socket(socket.AF_INET6).close()", [1, 0, 0, {}, False]),
        ("s = socket.create_server(('127.0.0.1', 0))", [1, 0, 1, {}, False]),
        ("socket.gethostbyname('127.0.0.1')", [0, 1, 0, {}, False]),
    ],
)
def test_each_use_is_counted_once(act: str, wanted: list[object]) -> None:
    assert _seen(act) == wanted


def test_a_socket_that_no_audit_event_told_is_known_by_the_kernel() -> None:
    libc = "import ctypes; c = ctypes.CDLL(None); f = c.socket(2, 1, 0); c.listen(f, 1)"
    sockets, _, open_now, _, nothing = _seen(libc)
    assert (sockets, open_now, nothing) == (0, 1, False)


def test_tables_that_cannot_be_read_are_no_proof(tmp_path: Path) -> None:
    assert used(tmp_path).open_now is None
    (tmp_path / "fd").mkdir()
    (tmp_path / "fd" / "3").symlink_to("socket:[77]")
    (tmp_path / "fd" / "4").symlink_to("socket:[78]")
    (tmp_path / "net").mkdir()
    row = "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1 0\n"
    (tmp_path / "net" / "tcp").write_text(f"  sl  local_address\n{row}")
    assert used(tmp_path).open_now == 1


def test_the_sentence_never_says_more_than_was_watched() -> None:
    assert Used(None, 0, 0, 0, {}).sentence.startswith("Nobody watched")
    assert not Used(None, 0, 0, 0, {}).nothing


def test_a_receipt_of_the_command_line_says_that_no_network_was_used(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "kataui", "image", "protect", "--sample", str(tmp_path / "s")]
    subprocess.run(argv, check=True, capture_output=True)
    said = json.loads((tmp_path / "s" / "receipt.json").read_text())["network"]
    assert said.startswith("No AF_INET or AF_INET6 socket in this process since its start")
    assert said.endswith("No other program was started.")
