"""The checks of the IO path: files, block devices, the host's disks, in the order of their ids."""

from kataui.isolation.checks import ioblock, iofiles, iohost, ioplaces
from kataui.isolation.checks.check import Check

CHECKS: tuple[Check, ...] = (
    *iofiles.CHECKS,
    *ioblock.CHECKS,
    *iohost.CHECKS,
    *ioplaces.CHECKS,
)
