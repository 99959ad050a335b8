"""What all tests share: where other people's tools and files are, and nothing leaked."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

SHARED = Path(__file__).resolve().parents[2] / "shared"
PEERS = os.environ.get("KATAUI_PEERS", "")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of fixtures and corpora beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here")
    return SHARED


@pytest.fixture(scope="session")
def peer() -> Callable[[str], str]:
    """Find a tool of others: in KATAUI_PEERS, then on PATH; missing fails where peers are set."""

    def find(name: str) -> str:
        path = shutil.which(name, path=f"{PEERS}{os.pathsep}{os.environ['PATH']}")
        if path is None:
            if PEERS:
                pytest.fail(f"{name} is missing although KATAUI_PEERS is set")
            pytest.skip(f"{name} is not installed")
        return path

    return find


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep settings, logs and caches of the tests away from the user's."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home / name))
    monkeypatch.delenv("COSIGN_PASSWORD", raising=False)


@pytest.fixture(autouse=True)
def _no_leaked_threads() -> Iterator[None]:
    """A test that leaves a thread running fails."""
    before = set(threading.enumerate())
    yield
    leaked = [t for t in threading.enumerate() if t not in before and t.is_alive()]
    for thread in leaked:
        thread.join(timeout=5)
    still = [thread.name for thread in leaked if thread.is_alive()]
    assert not still, f"threads left running: {still}"
