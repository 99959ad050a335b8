"""Recordings: whole up to the last sample, whatever happens; kept, marked, played, redacted."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kataui.errors import DestinationProblem
from kataui.findings import Verdict
from kataui.isolation.accuse import Judgement
from kataui.isolation.player import Player
from kataui.isolation.recording import (
    Recorder,
    Recording,
    RecordingProblem,
    append_marker,
    keep,
)
from kataui.isolation.redact import redact
from kataui.isolation.store import Marker, Ring
from kataui.isolation.stream import sample_times
from kataui.isolation.summary import summarize
from tests.isolation.streams import Thread, Writer, written

FIGHT = [Thread("a", "vcpu", 1, 500_000, 500_000), Thread("b", "vcpu", 1, 500_000, 500_000)]


def long_stream(seconds: int = 200) -> Writer:
    """Segments of a minute."""
    writer = Writer(FIGHT)
    for second in range(seconds):
        if second % 60 == 0:
            writer.key()
        writer.sample()
    return writer


def test_a_recording_opens_with_its_index_and_all_its_samples(tmp_path: Path) -> None:
    path = long_stream().record_to(tmp_path / "r.kataui-rec")

    with Recording(path) as recording:
        assert not recording.cut
        assert [segment.samples for segment in recording.segments] == [60, 60, 60, 20]
        assert recording.segments[0].begin_us == 1_000_000
        assert recording.segments[-1].end_us == 200_000_000


def test_a_cut_recording_opens_up_to_its_last_whole_sample(tmp_path: Path) -> None:
    whole = written(FIGHT, 4).record_to(tmp_path / "whole.kataui-rec").read_bytes()
    with Recording(tmp_path / "whole.kataui-rec") as recording:
        records = list(recording.everything())
    ends = [(sample_times(record) is not None, len(record.whole())) for record in records]
    place, sample_ends = 26, []
    for is_sample, size in ends:
        place += size
        sample_ends += [place] if is_sample else []
    path = tmp_path / "cut.kataui-rec"
    for size in range(sample_ends[0], len(whole) - 1, 5):
        path.write_bytes(whole[:size])
        with Recording(path) as recording:
            assert recording.cut
            wanted = sum(end <= size for end in sample_ends)
            assert sum(segment.samples for segment in recording.segments) == wanted


@pytest.mark.parametrize("data", [b"", b"KATAUI", b"PK\x03\x04" * 20, b"\0" * 500])
def test_a_file_that_is_no_recording_is_refused_in_a_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "no.kataui-rec"
    path.write_bytes(data)

    with pytest.raises(RecordingProblem, match=r"no kataui recording\.|holds no sample\."):
        Recording(path)


def test_a_full_disk_keeps_what_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "full.kataui-rec"
    program = f"""
import resource, signal, sys
from pathlib import Path
from kataui.errors import DestinationProblem
from kataui.isolation.recording import Recorder
from tests.isolation.test_recording import long_stream
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
recorder = Recorder(Path({str(path)!r}))
try:
    for record in long_stream(300).records():
        recorder.write(record)
except DestinationProblem as error:
    print(error.message, error.hint)
recorder.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "stopped: File too large" in done.stdout
    assert "Everything up to now is kept" in done.stdout
    with Recording(path) as recording:
        assert sum(segment.samples for segment in recording.segments) > 20


def test_an_existing_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_text("mine")

    with pytest.raises(DestinationProblem, match="exists already"):
        Recorder(path)
    assert path.read_text() == "mine"


def test_markers_are_added_to_a_finished_recording(tmp_path: Path) -> None:
    path = long_stream(70).record_to(tmp_path / "r.kataui-rec")

    append_marker(path, Marker("B", 60_000_000, 1, "later"))
    append_marker(path, Marker("A", 10_000_000, 1))

    with Recording(path) as recording:
        assert [(m.name, m.note) for m in recording.markers] == [("A", ""), ("B", "later")]
        assert not recording.cut
        assert sum(segment.samples for segment in recording.segments) == 70


def test_the_ring_keeps_its_minutes_and_a_kept_file_says_the_same(tmp_path: Path) -> None:
    ring = Ring(minutes=2)
    for record in long_stream(400).records():
        ring.take(record, sample_times(record))

    assert ring.segments[0].begin_us >= 180_000_000
    kept = keep(ring, tmp_path / "kept.kataui-rec", minutes=1)
    with Recording(kept) as recording:
        assert recording.segments[-1].end_us == 400_000_000
        assert 60 <= sum(segment.samples for segment in recording.segments) <= 121
        assert recording.head["host"] == "node"
        picture = Player(recording).seek(400_000_000)
    assert picture is not None
    assert picture.judgement.verdict is Verdict.FAIL


def uncorrelated(judgement: Judgement) -> Judgement:
    """Without the witness of the last ten minutes: it knows only what was played."""
    cleared = tuple(replace(item, correlation=None) for item in judgement.accusations)
    return replace(judgement, accusations=cleared)


def test_seeking_shows_the_same_as_playing_there(tmp_path: Path) -> None:
    path = long_stream(150).record_to(tmp_path / "r.kataui-rec")

    with Recording(path) as recording:
        played, sought = Player(recording), Player(recording)
        picture = None
        while played.time_us < 131_000_000:
            picture = played.step()
        again = sought.seek(131_000_000)

    assert picture is not None
    assert again is not None
    assert again.time_s == picture.time_s
    assert uncorrelated(again.judgement) == uncorrelated(picture.judgement)
    assert again.shares["a@1.1"] == picture.shares["a@1.1"]


def test_the_time_of_a_picture_leads_back_to_its_sample(tmp_path: Path) -> None:
    writer = Writer(FIGHT, past_us=1)  # 8.000001 s times a million is less than 8 000 001
    writer.key()
    for _ in range(34):
        writer.sample()

    with Recording(writer.record_to(tmp_path / "r.kataui-rec")) as recording:
        played, times = Player(recording), []
        while (picture := played.step()) is not None:
            times.append((played.time_us, picture.time_us, picture.time_s))
        found = [Player(recording).seek(time_us) for _, time_us, _ in times]

    assert 8_000_001 in [time_us for time_us, _, _ in times]
    assert [at_us for at_us, _, _ in times] == [time_us for _, time_us, _ in times]
    assert [again and again.time_s for again in found] == [time_s for _, _, time_s in times]


def test_a_redacted_copy_has_no_names_and_says_the_same(tmp_path: Path) -> None:
    path = long_stream(80).record_to(tmp_path / "r.kataui-rec")

    preview = redact(path, tmp_path / "out.kataui-rec")

    assert dict(preview.replaced)["node"] == "host-1"
    with Recording(path) as one, Recording(tmp_path / "out.kataui-rec") as two:
        texts = [str(r.json()) for r in two.everything() if r.kind in b"HKEFM"]
        first, second = summarize(Player(one)), summarize(Player(two))
    for text in texts:
        assert "node" not in text
        assert "a" * 8 not in text
        assert "'ns'" not in text
    assert first is not None
    assert second is not None
    assert second.verdict is first.verdict
    assert [item.points for item in second.sandboxes] == [item.points for item in first.sandboxes]
