"""The recorded incidents that come with kataui: each says what really happened."""

import pytest

from kataui.findings import Verdict
from kataui.isolation.incidents import Incident, incidents
from kataui.isolation.layout import ActorKind
from kataui.isolation.model import Role
from kataui.isolation.player import Player
from kataui.isolation.recording import Recording
from kataui.isolation.summary import Summary, summarize

ALL = {incident.id: incident for incident in incidents()}


def judged(identifier: str) -> Summary:
    with Recording(ALL[identifier].path) as recording:
        summary = summarize(Player(recording))
    assert summary is not None
    return summary


def test_six_incidents_come_with_kataui_and_say_how_they_were_made() -> None:
    assert len(ALL) == 6
    for incident in ALL.values():
        assert incident.title
        assert incident.note
        assert ("Synthetic" in incident.made) == incident.synthetic
        with Recording(incident.path) as recording:
            assert bool(recording.head.get("synthetic")) == incident.synthetic
            assert not recording.cut
            assert recording.overview is not None
        assert incident.path.stat().st_size < 500_000


def test_a_neighbour_takes_the_cpu() -> None:
    summary = judged("cpu-neighbour")

    assert summary.verdict is Verdict.FAIL
    worst = next(item for item in summary.judgement.accusations if item.named)
    assert worst.actor.kind is ActorKind.SANDBOX
    assert worst.actor.role is Role.VCPU


def test_two_vcpus_pinned_to_one_cpu() -> None:
    summary = judged("two-vcpus-on-one-cpu")

    assert summary.verdict is Verdict.FAIL
    assert "both are pinned to it" in summary.judgement.sentence
    worst = next(item for item in summary.judgement.accusations if item.named)
    assert worst.points == pytest.approx(0.5, abs=0.05)


def test_a_flood_through_the_tap_is_the_vhost_thread_of_the_one_that_gets_it() -> None:
    summary = judged("network-flood")

    worst = next(item for item in summary.judgement.accusations if item.named)
    names = {s.key: s.name for s in summary.worst.view.sandboxes}
    assert worst.victim.name == "default/radio"
    assert names[worst.actor.sandbox] == "default/gateway"
    assert worst.actor.role is Role.VHOST


def test_an_io_storm_names_who_moves_the_bytes() -> None:
    summary = judged("io-storm")

    assert summary.verdict is Verdict.FAIL
    assert "default/database stalls on IO" in summary.judgement.sentence
    assert "because of default/backup" in summary.judgement.sentence


def test_an_own_quota_is_not_a_neighbour() -> None:
    summary = judged("own-quota")

    assert summary.verdict is Verdict.PASS
    assert "its own CPU limit" in summary.judgement.sentence
    assert summary.sandboxes[0].blame[0][0] in {"own limit", "unknown"}


def test_a_reclaim_storm_names_who_takes_the_memory() -> None:
    summary = judged("reclaim-storm")

    assert summary.verdict is Verdict.FAIL
    assert "default/database stalls on memory" in summary.judgement.sentence
    assert "because of default/analytics" in summary.judgement.sentence


@pytest.mark.parametrize("incident", ALL.values(), ids=list(ALL))
def test_no_incident_names_a_person_or_a_place(incident: Incident) -> None:
    with Recording(incident.path) as recording:
        texts = [str(record.json()) for record in recording.everything() if record.kind in b"HKEFL"]
    for text in texts:
        assert "/root/" not in text
        assert "/home/" not in text
