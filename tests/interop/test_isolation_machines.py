"""The verdict on real virtual machines that fight on this host."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kataui.findings import Verdict
from kataui.isolation.analysis import Picture
from kataui.isolation.checks.all import CHECKS
from kataui.isolation.checks.check import Scene, run
from kataui.isolation.layout import ActorKind
from kataui.isolation.model import Role
from kataui.isolation.player import Player
from kataui.isolation.recording import Recording, keep
from kataui.isolation.session import Session
from kataui.isolation.sources.local import LocalFeed
from tests.interop.kata_machines import QEMU, Machine, go_first, machine

pytestmark = pytest.mark.interop
Found = Callable[[Picture], bool]
CPU = max(os.sched_getaffinity(0))


@pytest.fixture
def machines(peer: Callable[[str], str], tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    peer(QEMU)
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(machine(tmp_path, **options))


@pytest.fixture
def session() -> Iterator[Session]:
    opened = Session(LocalFeed())
    yield opened
    opened.close()


def wait_for(session: Session, found: Found, *, samples: int) -> Picture:
    """The first picture that is as wanted, within so many samples (seconds)."""
    seen = 0
    last = "nothing"
    while seen < samples:
        for picture in session.turn(1.0).pictures:
            seen += 1
            last = f"{picture.judgement.verdict} {picture.judgement.sentence}"
            if found(picture):
                return picture
    raise AssertionError(f"not within {samples} samples; last: {last}")


def key_of(picture: Picture, one: Machine) -> str:
    return next(s.key for s in picture.view.sandboxes if s.id == one.sandbox)


def external(picture: Picture, one: Machine) -> float:
    row = next(n for n, s in enumerate(picture.view.sandboxes) if s.id == one.sandbox)
    return float(picture.signals.external[row])


def share(picture: Picture, victim: Machine, culprit: Machine) -> float:
    """The matrix cell: the part of the victim's CPU time that it waits because of the culprit."""
    shares = picture.shares[key_of(picture, victim)]
    mine = [
        item.wait_us
        for item in shares.neighbours
        if item.actor.kind is ActorKind.SANDBOX and item.actor.sandbox == key_of(picture, culprit)
    ]
    return sum(mine) / (shares.run_us + shares.wait_us)


@pytest.fixture
def fight(machines: Callable[..., Machine]) -> tuple[Machine, Machine]:
    """Two machines pinned to one CPU, one of them without thread names."""
    both = machines(), machines(names=False)
    for one in both:
        one.pin(CPU)
    return both


def both_named(picture: Picture) -> bool:
    return len({item.victim.id for item in picture.judgement.accusations if item.named}) == 2


def test_two_machines_on_one_cpu_name_each_other_within_15_samples(
    fight: tuple[Machine, Machine], session: Session
) -> None:
    first, second = fight

    picture = wait_for(session, both_named, samples=15)

    assert picture.judgement.verdict is Verdict.FAIL
    named = {
        (item.victim.id, item.actor.sandbox) for item in picture.judgement.accusations if item.named
    }
    assert (first.sandbox, key_of(picture, second)) in named
    assert (second.sandbox, key_of(picture, first)) in named
    worst = next(item for item in picture.judgement.accusations if item.named)
    assert (worst.actor.role, worst.cpu) == (Role.VCPU, CPU)
    assert worst.confidence >= 0.8
    assert share(picture, first, second) > 0.3
    assert share(picture, first, first) == 0.0
    assert picture.scores[key_of(picture, first)].grade in {"D", "E"}
    outcome = run(next(c for c in CHECKS if c.id == "CPU-02"), Scene(picture.view, picture.span))
    assert any(f"CPU {CPU}" in f.message.replace("\u00a0", " ") for f in outcome.findings)


def test_the_score_recovers_and_a_kept_recording_says_the_same(
    fight: tuple[Machine, Machine], session: Session, tmp_path: Path
) -> None:
    first, second = fight
    picture = wait_for(session, both_named, samples=15)

    second.pause()
    worst = picture.scores[key_of(picture, first)].points or 0.0
    wait_for(session, lambda p: external(p, first) < 0.05, samples=30)
    wait_for(
        session,
        lambda p: (p.scores[key_of(p, first)].points or 0.0) > worst + 15.0,
        samples=30,
    )
    second.go_on()

    kept = keep(session.ring, tmp_path / "fight.kataui-rec")
    with Recording(kept) as recording:
        again = Player(recording).seek(picture.time_us)
    assert again is not None
    assert again.judgement.verdict is Verdict.FAIL
    assert share(again, first, second) == pytest.approx(share(picture, first, second), abs=0.03)


def test_an_own_quota_is_no_neighbour(machines: Callable[..., Machine], session: Session) -> None:
    one = machines()
    one.limit(0.2)

    picture = wait_for(
        session,
        lambda p: any(p.signals.throttled > 0.5) and any(p.signals.limit > 0.3),
        samples=20,
    )

    assert picture.judgement.verdict is Verdict.PASS
    assert "own CPU limit" in picture.judgement.sentence
    assert picture.judgement.accusations == ()


def test_a_process_of_the_host_is_named_as_the_culprit(
    machines: Callable[..., Machine], session: Session, tmp_path: Path
) -> None:
    one = machines()
    one.pin(CPU)
    burner = tmp_path / "noisy-daemon"
    burner.write_text("#!/bin/sh\nwhile :; do :; done\n")
    burner.chmod(0o755)
    with subprocess.Popen([burner], start_new_session=True) as noisy:
        os.sched_setaffinity(noisy.pid, {CPU})
        go_first(noisy.pid)
        try:
            picture = wait_for(
                session,
                lambda p: any(
                    item.named and item.actor.name == "noisy-daemon"
                    for item in p.judgement.accusations
                ),
                samples=20,
            )
        finally:
            noisy.kill()

    assert "noisy-daemon, a process of the host" in picture.judgement.sentence


def test_roles_are_the_same_with_and_without_thread_names(
    machines: Callable[..., Machine],
) -> None:
    named, unnamed = machines(vcpus=2), machines(names=False, vcpus=2)
    time.sleep(0.5)

    done = subprocess.run(
        [sys.executable, "-m", "kataui", "isolation", "sandboxes", "--json"],
        capture_output=True,
        check=True,
        text=True,
    )

    found = {item["id"]: item for item in json.loads(done.stdout)["sandboxes"]}
    for one in (named, unnamed):
        threads = found[one.sandbox]["threads"]
        vcpus = [item for item in threads if item["role"] == "vcpu"]
        assert sorted(item["index"] for item in vcpus) == [0, 1]
        assert {item["tid"] for item in vcpus} >= set(one.vcpu_tids()[:1])
        assert found[one.sandbox]["hypervisor"] == "qemu"
    evidence = {t["evidence"] for t in found[unnamed.sandbox]["threads"] if t["role"] == "vcpu"}
    assert "name" not in evidence
