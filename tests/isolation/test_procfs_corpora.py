"""What the functions of procfs make of the fixtures of the procfs project (Prometheus)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kataui.isolation.collector import procfs
from kataui.isolation.collector.tables import MISSING
from tests.isolation import ttar


@pytest.fixture(scope="module")
def corpus(shared: Path) -> dict[str, bytes]:
    """Files of the archive by path below ``fixtures``."""
    found = ttar.read(shared / "corpora/procfs/fixtures.ttar")
    return {name.removeprefix("fixtures/"): data for name, data in found.items()}


def test_the_archive_is_unpacked_byte_for_byte(corpus: dict[str, bytes]) -> None:
    assert corpus["proc/26231/cmdline"] == b"vim\0test.go\0+10\0"
    assert corpus["proc/26231/comm"] == b"vim\n"
    assert len(corpus) > 2000


def test_a_process_has_its_fields(corpus: dict[str, bytes]) -> None:
    stat = procfs.stat(corpus["proc/26231/stat"])

    assert stat is not None
    assert (stat.comm, stat.state) == ("vim", "R")
    fields = {number: stat.field(number) for number in (4, 14, 15, 20, 22, 24, 39, 42, 43)}
    assert fields == {4: 5392, 14: 1677, 15: 44, 20: 1, 22: 82375, 24: 1981, 39: 0, 42: 31, 43: 0}


def test_a_name_with_parentheses_and_spaces_is_one_name(corpus: dict[str, bytes]) -> None:
    stat = procfs.stat(corpus["proc/26232/stat"])

    assert stat is not None
    assert stat.comm == "ata_sff"
    odd = procfs.stat(corpus["proc/26231/stat"].replace(b"(vim)", b"(a) b ((c)"))
    assert odd is not None
    assert (odd.comm, odd.field(4)) == ("a) b ((c", 5392)


def test_place_is_fields_of_stat(corpus: dict[str, bytes]) -> None:
    assert procfs.place(corpus["proc/26231/stat"]) == [0, 1677, 44, 0, 31]


def test_threads_of_one_process_have_different_times(corpus: dict[str, bytes]) -> None:
    tids = [f"proc/27079/task/{tid}/stat" for tid in range(27079, 27084)]
    stats = [procfs.stat(corpus[name]) for name in tids]

    assert [stat.field(1 + 2) is not None for stat in stats if stat] == [True] * 5
    assert len({procfs.place(corpus[name])[1] for name in tids if procfs.place(corpus[name])}) > 1


def test_schedstat_is_in_microseconds(corpus: dict[str, bytes]) -> None:
    assert procfs.schedstat(corpus["proc/26231/schedstat"]) == (411605, 93680, 79)


def test_switches_and_allowed_cpus_are_found_in_status(corpus: dict[str, bytes]) -> None:
    status = corpus["proc/26231/status"]

    assert procfs.after(status, b"voluntary_ctxt_switches:") == 4742839
    assert procfs.after(status, b"nonvoluntary_ctxt_switches:") == 1727500
    assert procfs.cpu_list(procfs.colon_values(status)["Cpus_allowed_list"]) == list(range(8))


def test_io_is_read_even_when_a_counter_is_negative(corpus: dict[str, bytes]) -> None:
    io = corpus["proc/26231/io"]

    assert [procfs.after(io, name) for name in (b"rchar: ", b"write_bytes: ")] == [750339, 2048]
    assert procfs.after(io, b"cancelled_write_bytes: ") == -1024


def test_links_of_a_process_are_those_of_its_namespace(corpus: dict[str, bytes]) -> None:
    inside = procfs.network(corpus["proc/26231/net/dev"])
    host = procfs.network(corpus["proc/net/dev"])

    assert inside == {"lo": [0] * 8, "eth0": [438, 5, 0, 0, 648, 8, 0, 0]}
    assert set(host) == {"vethf345468", "lo", "docker0", "eth0"}
    assert host["vethf345468"] == [648, 8, 0, 0, 438, 5, 0, 0]


def test_cpu_times_are_by_cpu_and_not_their_sum(corpus: dict[str, bytes]) -> None:
    times, totals = procfs.cpu_times(corpus["proc/stat"])

    assert list(times) == list(range(8))
    assert times[0] == [44490, 19, 21045, 1087069, 220, 1, 3410, 0, 0, 0]
    assert totals == {"ctxt": 38014093, "procs_running": 2, "procs_blocked": 1}


def test_softirqs_have_their_columns(corpus: dict[str, bytes]) -> None:
    counts = procfs.softirqs(corpus["proc/softirqs"])

    assert counts[0] == [3, 2776180, 2419, 55919, 174915, 0, 209, 2278692, 1281, 605871]
    assert counts[1][3] == 28694


def test_rows_of_softnet_name_their_cpu_where_they_can(corpus: dict[str, bytes]) -> None:
    rows = procfs.softnet(corpus["proc/net/softnet_stat"], [0, 1, 2, 3, 4])

    assert rows[0] == (0x358FE3, 0x6283, 0)
    assert rows[1] == (0x953D1A, 0x446, 0xB1)
    assert rows[2][2] == 0xF0000769  # an older kernel: eleven columns, no CPU
    assert rows[3][2] == 0x109A4


def test_a_broken_softnet_is_no_row_and_no_crash(corpus: dict[str, bytes]) -> None:
    assert procfs.softnet(corpus["proc/net/softnet_stat.broken"], [0, 1]) == {}


def test_pressure_without_full_is_missing_there(corpus: dict[str, bytes]) -> None:
    assert procfs.pressure(corpus["proc/pressure/cpu"]) == (15, MISSING)
    assert procfs.pressure(corpus["proc/pressure/io"]) == (15, 25)


def test_disks_of_old_and_new_kernels_have_the_same_columns(corpus: dict[str, bytes]) -> None:
    disks = procfs.disks(corpus["proc/diskstats"])

    number, old = disks["nvme0n1p2"]
    assert (number[-2:], old[:3], old[11:]) == (":2", [45914, 4, 4631243], [MISSING] * 6)
    assert disks["sdb"][1][11:] == [68851, 0, 1925173784, 11130, MISSING, MISSING]
    assert disks["sdc"][1][15:] == [127, 182]


def _cut(data: bytes) -> Iterator[bytes]:
    """A file as a reader may get it when its owner dies: cut anywhere."""
    step = max(1, len(data) // 40)
    for end in range(0, len(data), step):
        yield data[:end]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("proc/26231/stat", procfs.stat),
        ("proc/26231/stat", procfs.place),
        ("proc/26231/schedstat", procfs.schedstat),
        ("proc/26231/status", procfs.colon_values),
        ("proc/pressure/io", procfs.pressure),
        ("proc/net/dev", procfs.network),
        ("proc/softirqs", procfs.softirqs),
        ("proc/diskstats", procfs.disks),
        ("proc/stat", procfs.cpu_times),
        ("proc/net/softnet_stat", lambda data: procfs.softnet(data, [0])),
    ],
)
def test_a_file_cut_anywhere_is_no_crash(corpus: dict[str, bytes], name: str, read: object) -> None:
    assert callable(read)
    for part in _cut(corpus[name]):
        read(part)
        read(part[::-1])
