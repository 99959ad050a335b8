"""What all tests share: where other people's tools and files are, and nothing leaked."""

import collections
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.keymaterial import Keys, make_keys

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
        path = shutil.which(name, path=os.pathsep.join(filter(None, [PEERS, os.environ["PATH"]])))
        if path is None:
            if PEERS:
                pytest.fail(f"{name} is missing although KATAUI_PEERS is set")
            pytest.skip(f"{name} is not installed")
        return path

    return find


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Real keys of every kind, made once."""
    return make_keys(tmp_path_factory.mktemp("keys"))


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what was not checked, and which checks before the tests have failed."""
    reasons = collections.Counter(
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.section("not checked here")
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count:4} x {reason}")
        if not PEERS:
            terminalreporter.line("Set KATAUI_PEERS to the folder of other people's tools.")
    failed = os.environ.get("KATAUI_FAILED_CHECKS")
    if failed:
        terminalreporter.section("failed before the tests (see the top)", red=True)
        terminalreporter.line(failed)
