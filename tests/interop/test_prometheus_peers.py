"""A real Prometheus with a real node-exporter, and a synthetic endpoint in kata-monitor's place."""

import contextlib
import http.server
import itertools
import os
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kataui.errors import KatauiError
from kataui.isolation.collector.tables import BY_NAME
from kataui.isolation.model import HostView, Role, host_view
from kataui.isolation.sources.feed import Line
from kataui.isolation.sources.prometheus import PrometheusFeed, instances
from kataui.isolation.span import Counters
from kataui.isolation.stream import Decoder, Record, Sample
from tests.isolation.sourceparts import decoded, read_until, samples, until

pytestmark = pytest.mark.interop
Peer = Callable[[str], str]
SANDBOX = "5" * 64
BEGUN_S = time.monotonic()
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: node
  static_configs: [{{targets: ["127.0.0.1:{node}"]}}]
- job_name: kata
  static_configs: [{{targets: ["127.0.0.1:{kata}"]}}]
"""


def synthetic_metrics() -> str:
    """Synthetic: what kata-monitor would serve for one sandbox; counters grow with the time."""
    ticks = int((time.monotonic() - BEGUN_S) * 100)
    labels = f'sandbox_id="{SANDBOX}",cri_name="web",cri_namespace="shop",cri_uid="u-1"'
    return "".join(
        f"{name}{{{labels}{more}}} {value}\n"
        for name, more, value in (
            ("kata_hypervisor_netdev", ',interface="eth0",item="recv_bytes"', ticks * 10),
            ("kata_hypervisor_netdev", ',interface="eth0",item="sent_packets"', ticks),
            ("kata_hypervisor_proc_stat", ',item="utime"', ticks),
            ("kata_hypervisor_proc_status", ',item="vmrss"', 4096 * 700),
            ("kata_hypervisor_threads", "", 9),
            ("kata_hypervisor_io_stat", ',item="readbytes"', 4711),
            ("kata_shim_threads", "", 12),
            ("kata_guest_cpu_time", ',cpu="0",item="user"', ticks),
            ("kata_guest_cpu_time", ',cpu="0",item="system"', 50),
            ("kata_guest_cpu_time", ',cpu="0",item="steal"', ticks // 2 + 1),
            ("kata_guest_cpu_time", ',cpu="1",item="user"', 30),
            ("kata_guest_cpu_time", ',cpu="1",item="steal"', 0),
            ("kata_guest_cpu_time", ',cpu="total",item="user"', 9999),
        )
    )


class SyntheticMonitor(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(synthetic_metrics().encode())

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Engine:
    url: str
    node: str
    process: "subprocess.Popen[bytes]"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def engine(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("prometheus")
    node, web = free_port(), free_port()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SyntheticMonitor)
    (folder / "config.yml").write_text(CONFIG.format(node=node, kata=server.server_port))
    commands = [
        [peer("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{node}"],
        [
            peer("prometheus"),
            f"--config.file={folder / 'config.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{web}",
        ],
    ]
    with contextlib.ExitStack() as stack:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        processes = []
        log = stack.enter_context((folder / "log").open("wb"))
        for command in commands:
            processes.append(subprocess.Popen(command, stdout=log, stderr=log))
            stack.callback(processes[-1].wait, 20)
            stack.callback(processes[-1].terminate)
        until(lambda: scraped(web), "both targets have been scraped a few times")
        yield Engine(f"http://127.0.0.1:{web}", f"127.0.0.1:{node}", processes[-1])


def scraped(port: int) -> bool:
    query = urllib.parse.quote("min(count_over_time(up[1m])) >= 4 and count(up == 1) == 2")
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={query}") as said,
    ):
        return b'"value"' in said.read()
    return False


def hourly(engine: Engine, **more: float) -> tuple[Decoder, list[Sample], HostView]:
    """All of the last minutes, a second a step."""
    now_s = time.time()
    given = {"begin_s": now_s - 120, "end_s": now_s, "step_s": 1.0} | more
    with contextlib.closing(PrometheusFeed(engine.url, **given)) as feed:  # type: ignore[arg-type]
        records = read_until(feed, lambda _: feed.state.line is Line.ENDED)
    decoder, found = decoded(records)
    return decoder, found, host_view(decoder.head, decoder.facts, decoder.entities)


def test_a_server_lists_its_hosts_once_even_with_two_ports_each(engine: Engine) -> None:
    assert instances(engine.url) == [engine.node]


def test_the_hosts_counters_are_those_of_proc(engine: Engine) -> None:
    decoder, found, view = hourly(engine)

    assert view.name == os.uname().nodename
    assert decoder.head["source"] == "prometheus"
    assert len(found) >= 3
    counters = Counters()
    for sample in found:
        counters.take(sample)
    span = counters.span(60)
    seconds = (found[-1].mono_us - found[0].mono_us) / 1e6
    host_cpus = {cpu for cpu, _ in view.cpus}
    assert host_cpus == {
        int(line.split()[0][3:])
        for line in Path("/proc/stat").read_text().splitlines()
        if line.startswith("cpu") and line[3].isdigit()
    }
    total = sum(
        span.delta("cpu_time", column).sum()
        for column in BY_NAME["cpu_time"].columns
        if not column.startswith("guest")
    )
    assert total == pytest.approx(seconds * 100 * len(host_cpus), rel=0.2)
    memory_kb = int(Path("/proc/meminfo").read_text().split()[1])
    assert span.now("host", "memory_total_kb")[0] == memory_kb
    assert all(first.mono_us < then.mono_us for first, then in itertools.pairwise(found))


def test_the_head_says_what_a_prometheus_does_not_know(engine: Engine) -> None:
    missing = hourly(engine)[0].head["missing"]

    assert {"place", "switch", "group", "group_memory", "run.slices"} <= set(missing)
    assert "cpu_time" not in missing
    assert "host.memory_total_kb" not in missing


def test_a_synthetic_sandbox_of_kata_monitor_is_on_its_host(engine: Engine) -> None:
    _, found, view = hourly(engine)

    (sandbox,) = view.sandboxes
    assert (sandbox.id, sandbox.name) == (SANDBOX, "shop/web")
    assert [(thread.role, thread.index) for thread in sandbox.threads] == [
        (Role.VCPU, 0),
        (Role.VCPU, 1),
    ]
    counters = Counters()
    for sample in found:
        counters.take(sample)
    span = counters.span(300)
    (eth0,) = sandbox.links
    vmm = sandbox.process("vmm")
    shim = sandbox.process("shim")
    assert vmm is not None
    assert shim is not None
    assert span.now("whole", "rss_pages")[vmm.slot] == 700
    assert span.now("whole", "threads")[[vmm.slot, shim.slot]].tolist() == [9, 12]
    assert span.now("io", "read_bytes")[vmm.slot] == 4711
    assert span.rate("link", "rx_bytes")[eth0.slot] == pytest.approx(1000, rel=0.3)
    first, second = (thread.slot for thread in sandbox.threads)
    stolen = span.delta("run", "wait_us")
    assert stolen[first] / span.delta("run", "run_us")[first] == pytest.approx(0.5, rel=0.1)
    assert span.now("run", "run_us")[second] == 300_000
    assert stolen[second] != stolen[second]  # no steal clock: not measured, which is not 0


def test_a_feed_without_an_end_goes_on_with_what_is_scraped(engine: Engine) -> None:
    feed = PrometheusFeed(engine.url, instance=engine.node, begin_s=time.time() - 3, step_s=1.0)

    with contextlib.closing(feed):
        first = read_until(feed, lambda records: samples(records) >= 1)
        seen = decoded(first)[1][-1].mono_us
        later = read_until(feed, lambda records: _past(first, records) > seen + 1_500_000)

    assert later
    assert feed.state.line is Line.LIVE


def _past(first: list[Record], records: list[Record]) -> int:
    return decoded([*first, *records])[1][-1].mono_us


def test_an_instance_and_a_time_without_data_are_sentences(engine: Engine) -> None:
    for given in ({"instance": "elsewhere:1"}, {"begin_s": 1e9, "end_s": 1e9 + 60}):
        feed = PrometheusFeed(engine.url, **given)  # type: ignore[arg-type]
        with contextlib.closing(feed), pytest.raises(KatauiError, match=r"nothing about|has no"):
            read_until(feed, bool)
