"""Soon."""

from kataui.isolation.checks.check import Check

CHECKS: tuple[Check, ...] = ()
