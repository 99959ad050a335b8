"""The checks of the base: control groups, CPUs and memory, in the order of their ids."""

from kataui.isolation.checks import basecgroups, basecpu, basememory, basepins
from kataui.isolation.checks.check import Check

CHECKS: tuple[Check, ...] = (
    *basecgroups.CHECKS,
    *basepins.CHECKS,
    *basecpu.CHECKS,
    *basememory.CHECKS,
)
