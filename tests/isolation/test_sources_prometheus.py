"""Answers of a Prometheus server, good and bad, from a small server of the test."""

import contextlib
import http.server
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from kataui.errors import KatauiError
from kataui.isolation.collector.tables import BY_NAME, MISSING
from kataui.isolation.sources import is_live, open_feed
from kataui.isolation.sources.feed import Line
from kataui.isolation.sources.prometheus import PrometheusFeed, instances
from kataui.isolation.sources.prometheus_rules import ALL
from kataui.isolation.sources.prometheus_server import Server
from kataui.isolation.stream import Decoder, Sample
from tests.isolation.sourceparts import decoded, read_until

Labels = dict[str, str]
Given = dict[str, list[str]]
BEGIN = 1_700_000_000


class Answers(http.server.ThreadingHTTPServer):
    """Answers every question with what ``say`` gives: a status, headers and a body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.say: Callable[[str, Given], tuple[int, Labels, bytes]] = lambda _path, _given: (
            *(200, {}, b""),
        )
        self.asked: list[tuple[str, Given, str]] = []
        self.place = f"127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Answers

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        given = parse_qs(parts.query)
        self.server.asked.append((parts.path, given, self.headers.get("Authorization", "")))
        status, headers, body = self.server.say(parts.path, given)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def answers() -> Iterator[Answers]:
    server = Answers()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class Store:
    """Series as a server keeps them: labels, and a function of the step's time (None: no value)."""

    def __init__(self) -> None:
        self.series: list[tuple[Labels, Callable[[float], object]]] = []
        self.longest = 10_000

    def add(self, name: str, value: Callable[[float], object], **labels: str) -> None:
        self.series.append(({"__name__": name, "instance": "one:9100", **labels}, value))

    def say(self, path: str, given: Given) -> tuple[int, Labels, bytes]:
        if path.endswith("__name__/values"):
            data: object = sorted({labels["__name__"] for labels, _ in self.series})
        elif path.endswith("/values"):
            data = ["one:9100"] if "node_cpu" in given["match[]"][0] else []
        elif path.endswith("query_range"):
            data = {"resultType": "matrix", "result": self._range(given)}
        else:
            data = {"resultType": "vector", "result": []}
        return 200, {}, json.dumps({"status": "success", "data": data}).encode()

    def _range(self, given: Given) -> list[object]:
        begin, end, step = (float(given[name][0]) for name in ("start", "end", "step"))
        times = [begin + n * step for n in range(round((end - begin) / step) + 1)]
        assert len(times) <= self.longest
        rows = [
            {
                "metric": labels,
                "values": [[t, str(value(t))] for t in times if value(t) is not None],
            }
            for labels, value in self.series
            if labels["__name__"] in given["query"][0]
        ]
        return [row for row in rows if row["values"]]


def read_all(answers: Answers, steps: int, **more: float) -> tuple[Decoder, list[Sample]]:
    given = {"begin_s": BEGIN, "end_s": BEGIN + (steps - 1) * 15, "step_s": 15, **more}
    with contextlib.closing(PrometheusFeed(f"http://{answers.place}", **given)) as feed:  # type: ignore[arg-type]
        return decoded(read_until(feed, lambda _: feed.state.line is Line.ENDED))


def column(found: list[Sample], table: str, name: str, slot: int = 0) -> list[int]:
    index = BY_NAME[table].columns.index(name)
    values = []
    for sample in found:
        rows = sample.table(table)
        assert rows is not None
        values.append(int(rows[slot, index]))
    return values


def test_every_rule_names_a_column_that_there_is() -> None:
    targets = [target for rule in ALL.values() for target in rule.targets.values()]

    assert targets
    assert [t for t in targets if t.column not in BY_NAME[t.table].columns] == []
    for name, rule in ALL.items():
        assert {BY_NAME[t.table].space for t in rule.targets.values()} == {rule.space}, name


def test_counters_come_in_the_streams_units_over_several_stretches(answers: Answers) -> None:
    store = Store()
    store.add("node_cpu_seconds_total", lambda t: (t - BEGIN) / 100, cpu="3", mode="user")
    store.add("node_disk_read_bytes_total", lambda t: (t - BEGIN) * 512, device="sda")
    store.add("node_disk_info", lambda _: 1, device="sda", major="8", minor="0")
    store.add("node_pressure_io_waiting_seconds_total", lambda t: t - BEGIN)
    answers.say = store.say

    decoder, found = read_all(answers, 120)

    assert len([path for path, _, _ in answers.asked if path.endswith("query_range")]) > 1
    steps = [n * 15 for n in range(120)]
    assert [sample.wall_us for sample in found] == [(BEGIN + s) * 1_000_000 for s in steps]
    assert column(found, "cpu_time", "user") == steps
    assert column(found, "disk", "read_sectors") == steps
    assert column(found, "host", "io_some_us") == [s * 1_000_000 for s in steps]
    assert column(found, "host", "dirty_pages") == [MISSING] * 120
    assert decoder.entities["disk"] == {0: {"name": "sda", "number": "8:0"}}
    assert decoder.entities["cpu"] == {0: {"cpu": 3}}


def test_repeated_values_are_no_samples_and_gaps_are_gaps(answers: Answers) -> None:
    store = Store()
    # scraped every 30 s; nothing between the fourth and the eighth minute

    def away(t: float) -> bool:
        return 240 <= t - BEGIN < 480

    store.add("node_time_seconds", lambda t: None if away(t) else BEGIN + (t - BEGIN) // 30 * 30)
    store.add("node_context_switches_total", lambda t: None if away(t) else (t - BEGIN) // 30)
    answers.say = store.say

    _, found = read_all(answers, 40)

    seconds = [sample.mono_us // 1_000_000 - BEGIN for sample in found]
    assert seconds == [*range(0, 240, 30), *range(480, 600, 30)]
    assert column(found, "host", "context_switches") == [s // 30 for s in seconds]


def test_a_clock_that_was_set_back_does_not_stop_the_stream(answers: Answers) -> None:
    store = Store()
    store.add("node_time_seconds", lambda t: t if t < BEGIN + 60 else t - 3600)
    store.add("node_procs_running", lambda _: 1)
    answers.say = store.say

    _, found = read_all(answers, 10)

    steps_us = [b.mono_us - a.mono_us for a, b in itertools.pairwise(found)]
    assert steps_us == [15_000_000] * 9
    assert found[-1].wall_us < found[0].wall_us


def test_two_jobs_that_scrape_one_host_are_not_added_up(answers: Answers) -> None:
    store = Store()
    for job, active in (("a", lambda t: t < BEGIN + 60), ("b", lambda t: t >= BEGIN + 30)):
        store.add(
            "kata_guest_cpu_time",
            lambda t, active=active: 7 if active(t) else None,
            sandbox_id="s1",
            cpu="0",
            item="user",
            job=job,
        )
    answers.say = store.say

    _, found = read_all(answers, 8, instance="one:9100")

    assert column(found, "run", "run_us") == [70_000] * 8


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-5", "1e300"])
def test_a_value_that_is_no_count_is_missing(answers: Answers, value: str) -> None:
    store = Store()
    store.add("node_procs_running", lambda _: 3)
    store.add("node_procs_blocked", lambda _: value)
    answers.say = store.say

    _, found = read_all(answers, 1, instance="one:9100")

    assert column(found, "host", "running") == [3]
    assert column(found, "host", "blocked") == [MISSING]


def test_a_sandbox_that_is_gone_gives_its_rows_back(answers: Answers) -> None:
    store = Store()
    store.add("node_time_seconds", lambda t: t)
    for number in range(5):
        first, last = BEGIN + number * 3000, BEGIN + number * 3000 + 1500
        store.add(
            "kata_hypervisor_threads",
            lambda t, first=first, last=last: 5 if first <= t < last else None,
            sandbox_id=f"s{number}",
        )
    answers.say = store.say

    decoder, found = read_all(answers, 1000)

    assert [given["id"] for given in decoder.entities["sandbox"].values()] == ["s4"]
    assert len(found) == 1000


def test_an_answer_that_is_too_long_is_asked_for_in_parts(answers: Answers) -> None:
    store = Store()
    store.add("node_procs_running", lambda t: int(t - BEGIN))
    calls = []

    def say(path: str, given: Given) -> tuple[int, Labels, bytes]:
        if path.endswith("query_range"):
            length = (float(given["end"][0]) - float(given["start"][0])) / 15 + 1
            calls.append(round(length))
            if length > 10:
                return 200, {}, b" " * (17 << 20)
        return store.say(path, given)

    answers.say = say

    _, found = read_all(answers, 30)

    assert column(found, "host", "running") == [n * 15 for n in range(30)]
    assert max(calls) > 10


HTML = b"<!doctype html><title>Login</title>"
VECTOR = b'{"status":"success","data":{"resultType":"vector","result":%b}}'


@pytest.mark.parametrize(
    "body",
    [
        HTML,
        b"",
        b'{"status":"success","data":["a"',
        b'{"status":"success","data":[1, 2]}',
        b'{"status":"success","data":NaN}',
        b'{"status":"success"}',
        b'{"status":"maybe","data":[]}',
        b"[]",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"status":"success","data":"' + b"x" * (17 << 20) + b'"}',
    ],
)
def test_nonsense_instead_of_names_is_a_sentence(answers: Answers, body: bytes) -> None:
    answers.say = lambda _path, _given: (200, {}, body)

    with pytest.raises(KatauiError, match=r"not as a Prometheus server does|too long"):
        instances(f"http://{answers.place}")


@pytest.mark.parametrize(
    "result",
    [
        b'{"a":1}',
        b"[1]",
        b'[{"metric":[],"value":[1,"2"]}]',
        b'[{"metric":{"a":1},"value":[1,"2"]}]',
        b'[{"metric":{},"value":[1,"two"]}]',
        b'[{"metric":{},"value":[1]}]',
        b'[{"metric":{},"value":["NaN","2"]}]',
        b'[{"metric":{}}]',
    ],
)
def test_nonsense_instead_of_series_is_a_sentence(answers: Answers, result: bytes) -> None:
    answers.say = lambda _path, _given: (200, {}, VECTOR % result)

    with pytest.raises(KatauiError, match="not as a Prometheus server does"):
        Server(f"http://{answers.place}").query("up", BEGIN)


@pytest.mark.parametrize(
    ("status", "headers", "body", "sentence"),
    [
        (401, {}, b"", "refused us"),
        (302, {"Location": "http://127.0.0.1:1/elsewhere"}, b"", "sends us elsewhere"),
        (400, {}, b'{"status":"error","error":"bad \\u001b[31mquery"}', "status 400 .bad \ufffd"),
        (503, {}, HTML, "status 503 .no reason given"),
    ],
)
def test_a_refusal_is_a_sentence(
    answers: Answers, status: int, headers: Labels, body: bytes, sentence: str
) -> None:
    answers.say = lambda _path, _given: (status, headers, body)

    with pytest.raises(KatauiError, match=sentence):
        instances(f"http://{answers.place}")


@pytest.mark.parametrize("status", [200, 302, 401, 500])
def test_secrets_of_the_address_are_sent_but_never_shown(answers: Answers, status: int) -> None:
    answers.say = lambda _path, _given: (status, {"Location": "http://x/"}, HTML)
    feed = PrometheusFeed(f"http://ann:s3cret@{answers.place}/sub?token=t0ken", begin_s=BEGIN)

    with contextlib.closing(feed), pytest.raises(KatauiError) as raised:
        read_until(feed, bool)

    path, given, header = answers.asked[0]
    assert (path.startswith("/sub/api/v1/"), given["token"]) == (True, ["t0ken"])
    assert header == "Basic YW5uOnMzY3JldA=="
    said = f"{raised.value!r} {raised.value.hint} {feed.state}"
    assert answers.place in said
    assert "s3cret" not in said
    assert "t0ken" not in said


def test_a_server_that_is_not_there_is_a_sentence(answers: Answers) -> None:
    answers.shutdown()
    answers.server_close()

    with pytest.raises(KatauiError, match=r"does not answer .Connection refused"):
        instances(f"http://ann:s3cret@{answers.place}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host:9090",
        "ftp://host/",
        "http://",
        "http://a:pw@h:port/",
        "http://[::1/",
        "http://h\n",
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(KatauiError, match="cannot be read") as raised:
        PrometheusFeed(url)
    assert "pw" not in raised.value.message


def test_weeks_are_read_in_longer_steps() -> None:
    week_s = 7 * 86400.0
    with contextlib.closing(
        PrometheusFeed("http://h", begin_s=BEGIN, end_s=BEGIN + week_s)
    ) as feed:
        assert feed._task.step_s == 303
    with contextlib.closing(PrometheusFeed("http://h")) as feed:
        assert feed._task.step_s == 15


@pytest.mark.parametrize(
    "given", [{"begin_s": 20.0, "end_s": 10.0}, {"step_s": 0.0}, {"begin_s": float("nan")}]
)
def test_a_range_that_cannot_be_is_refused(given: dict[str, float]) -> None:
    with pytest.raises(KatauiError):
        PrometheusFeed("http://h", **given)  # type: ignore[arg-type]


def test_a_source_is_told_by_its_first_word() -> None:
    assert [is_live(text) for text in ("local", "ssh:h", "prometheus:http://h", "a.kata")] == [
        *(True, True, True, False),
    ]
    with contextlib.closing(open_feed("prometheus:http://h#one:9100")) as feed:
        assert isinstance(feed, PrometheusFeed)
        assert feed._task.instance == "one:9100"
    for text in ("ssh:-oProxyCommand=x", "ssh:", "ssh:a b", "ssh:u@-x", "ssh:$(x)", "nothing"):
        with pytest.raises(KatauiError, match=r"no host|no source"):
            open_feed(text)
