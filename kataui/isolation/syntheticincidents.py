"""Six incidents on a made-up host: 40 s quiet, 70 s of trouble, 40 s quiet again.

Each gives a stream with three markers: quiet, incident, quiet again.
"""

from collections.abc import Mapping

from kataui.isolation.synthetichost import Host
from kataui.isolation.syntheticparts import Hypervisor, Load, Runtime, Spec
from kataui.isolation.syntheticstream import stream

_BEGINS_S, _ENDS_S, _ALL_S = 40.0, 110.0, 150.0
_MARKS = {0.0: "quiet", _BEGINS_S: "incident", _ENDS_S: "quiet again"}
_WORKS = Load(cores=0.35, rx_packets=2000, tx_packets=1800, reads=60, writes=40)
_RESTS = Load(cores=0.05)
_DAEMONS = {"kubelet": Load(cores=0.03), "containerd": Load(cores=0.02)}


def cpu_neighbour(seed: int = 1) -> bytes:
    """A pod without a limit burns all CPUs; a web shop and a database wait for it."""
    host = Host(cpus=4, seed=seed)
    host.add(Spec("shop", vcpus=2))
    host.add(Spec("database", vcpus=1, runtime=Runtime.RUST, iothreads=0))
    host.add(Spec("batch", vcpus=4, qos="besteffort"))
    usual = {"shop": _WORKS, "database": _WORKS, "batch": _RESTS}
    return _told(host, usual, {"batch": Load(cores=1.0)})


def two_vcpus_pinned_to_one_cpu(seed: int = 2) -> bytes:
    """Two Guaranteed pods have a vCPU each pinned to CPU 2; once both work, each gets half."""
    host = Host(cpus=6, seed=seed)
    host.add(Spec("radio", vcpus=2, pinned=(1, 2), cpus=(1, 2), qos="guaranteed"))
    host.add(Spec("firewall", vcpus=2, pinned=(2, 3), cpus=(2, 3), qos="guaranteed"))
    host.add(Spec("shop", vcpus=1, hypervisor=Hypervisor.CLOUD_HYPERVISOR, cpus=(4, 5)))
    busy = Load(cores=0.98)
    usual = {"radio": Load(cores=0.25), "firewall": Load(cores=0.005), "shop": _WORKS}
    return _told(host, usual, {"radio": busy, "firewall": busy})


def network_flood(seed: int = 3) -> bytes:
    """Small packets flood one pod: its vhost thread drops many, and runs on a pinned pod's CPU."""
    host = Host(cpus=4, seed=seed)
    host.add(Spec("radio", vcpus=2, pinned=(2, 3), cpus=(2, 3), qos="guaranteed"))
    host.add(Spec("gateway", vcpus=1, cpus=(0, 2), iothreads=0))
    host.add(Spec("shop", vcpus=1, cpus=(1,)))
    flood = Load(cores=0.2, rx_packets=850_000, tx_packets=150_000, packet_bytes=90)
    usual = {"radio": Load(cores=0.4), "gateway": _WORKS, "shop": _WORKS}
    return _told(host, usual, {"gateway": flood})


def io_storm(seed: int = 4) -> bytes:
    """A backup writes 128 requests deep; the database's single reads wait for the same disk."""
    host = Host(cpus=4, seed=seed)
    host.add(Spec("database", vcpus=2))
    host.add(Spec("backup", vcpus=1, qos="besteffort", runtime=Runtime.RUST))
    reading = Load(cores=0.3, reads=350, writes=60, io_bytes=8192)
    storm = Load(cores=0.4, reads=20, writes=14_000, io_bytes=131_072, io_depth=128)
    return _told(host, {"database": reading, "backup": _RESTS}, {"backup": storm})


def own_quota_exhausted(seed: int = 5) -> bytes:
    """A pod limited to one CPU wants two: it waits for its own limit, and for nobody else."""
    host = Host(cpus=6, seed=seed)
    host.add(Spec("report", vcpus=2, quota_cores=1.0))
    host.add(Spec("shop", vcpus=2, systemd=True))
    usual = {"report": Load(cores=0.3), "shop": _WORKS}
    return _told(host, usual, {"report": Load(cores=1.0)})


def reclaim_storm(seed: int = 6) -> bytes:
    """A pod takes all memory: kswapd runs, allocations reclaim, and a database reads it all again.

    The disk is busy with what was thrown away.
    """
    host = Host(cpus=4, seed=seed)
    host.add(Spec("database", vcpus=2, memory_max=None))
    host.add(Spec("analytics", vcpus=2, qos="besteffort", memory_max=None))
    reading = Load(cores=0.3, reads=100, writes=40)
    hungry = Load(cores=0.7, reclaim_pages=500_000, grow_pages=20_000)
    again = Load(cores=0.3, reads=100, writes=40, refaults=3000, io_depth=2)
    usual = {"database": reading, "analytics": _RESTS}
    return _told(host, usual, {"analytics": hungry, "database": again})


def _told(host: Host, usual: Mapping[str, Load], trouble: Mapping[str, Load]) -> bytes:
    """The stream of a host that works as usual, has trouble, and works as usual again."""
    calm = {**_DAEMONS, **usual}
    storm = {**calm, **trouble}

    def loads(at_s: float) -> Mapping[str, Load]:
        return storm if _BEGINS_S < at_s <= _ENDS_S else calm

    for _ in range(20):  # everybody has found a CPU before the stream begins
        host.advance(1.0, calm)
    return stream(host, _ALL_S, loads, marks=_MARKS)
