"""All checks of the networking path, NET-01 to NET-42, in the order of their ids."""

from kataui.isolation.checks import (
    networkcpus,
    networkguest,
    networkirq,
    networkkata,
    networklimits,
    networklinks,
    networkvhost,
)
from kataui.isolation.checks.check import Check

CHECKS: tuple[Check, ...] = tuple(
    sorted(
        (
            *networkkata.CHECKS,
            *networkguest.CHECKS,
            *networkvhost.CHECKS,
            *networkcpus.CHECKS,
            *networkirq.CHECKS,
            *networklinks.CHECKS,
            *networklimits.CHECKS,
        ),
        key=lambda check: check.id,
    )
)
