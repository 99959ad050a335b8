"""Hosts that do not exist, for tests, benches and demos: sandboxes, loads, and all counters.

``Host(root)`` keeps /proc and /sys trees that the collector reads (``--proc-root``,
``--sys-root``), in the kernel's formats; ``advance`` moves every counter together. ``stream``
gives what the collector would have sent, without files. The six incidents are streams of about two
minutes: quiet, something happens, quiet again. Nothing of this was measured, and each stream says
so in its head. The model is in ``syntheticmodel`` and ``syntheticflows``.
"""

from kataui.isolation.synthetichost import Host
from kataui.isolation.syntheticincidents import (
    cpu_neighbour,
    io_storm,
    network_flood,
    own_quota_exhausted,
    reclaim_storm,
    two_vcpus_pinned_to_one_cpu,
)
from kataui.isolation.syntheticparts import Hypervisor, Load, Machine, Mode, Runtime, Spec
from kataui.isolation.syntheticstream import NOTE, stream

__all__ = [
    "NOTE",
    "Host",
    "Hypervisor",
    "Load",
    "Machine",
    "Mode",
    "Runtime",
    "Spec",
    "cpu_neighbour",
    "io_storm",
    "network_flood",
    "own_quota_exhausted",
    "reclaim_storm",
    "stream",
    "two_vcpus_pinned_to_one_cpu",
]
