"""``kataui pod capacity``: how many confidential pods fit on a host, and what cannot work there."""

import argparse
from pathlib import Path

from kataui.cli.output import Output
from kataui.errors import ExitStatus, KatauiError
from kataui.kata.quantities import parse_bytes
from kataui.pods.capacity import (
    CANNOT_WORK,
    HostFacts,
    Platform,
    capacity,
    facts_as_given,
    local_facts,
    remote_facts,
)
from kataui.pods.prepare import DEFAULT_CLASS
from kataui.progress import Control

_SSH = "ssh:"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument(
        "--host", default="local", metavar="H", help="local, ssh:HOST, or none for a talk"
    )
    parser.add_argument("--runtime-class", default=DEFAULT_CLASS, metavar="C")
    parser.add_argument(
        "--tee", choices=[one.value for one in Platform], help="if not by the class"
    )
    parser.add_argument("--memory-per-pod", default="2Gi", metavar="Q", help="default 2Gi")
    parser.add_argument("--slots", type=int, metavar="N", help="as you know them")
    parser.add_argument("--memory", metavar="Q", help="of the host, as you know it: 1Ti")
    parser.add_argument("--max-pods", type=int, metavar="N", help="of the kubelet, if not 110")
    parser.add_argument("--sys-root", default="/sys", metavar="DIR", help="a captured tree")
    parser.add_argument("--proc-root", default="/proc", metavar="DIR", help="a captured tree")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Tell it; not possible when the platform's slots are not known."""
    if any(one is not None and one < 0 for one in (arguments.slots, arguments.max_pods)):
        raise KatauiError("Slots and pods are counted from 0.")
    found = capacity(
        _facts(arguments, output.control()),
        runtime_class=arguments.runtime_class,
        pod_memory_bytes=parse_bytes(arguments.memory_per_pod),
        platform=Platform(arguments.tee) if arguments.tee else None,
        max_pods=arguments.max_pods,
    )
    output.line(found.sentence)
    rows = [
        (one.name, "?" if one.pods is None else str(one.pods), one.source) for one in found.limits
    ]
    output.table(("LIMIT", "PODS", "FROM"), rows)
    output.line("Cannot work with encrypted memory:")
    output.lines(f"  - {feature}: {why}. [{source}]" for feature, why, source in CANNOT_WORK)
    output.value(found.as_json())
    return ExitStatus.DONE if found.known else ExitStatus.NOT_POSSIBLE


def _facts(arguments: argparse.Namespace, control: Control) -> HostFacts:
    host = arguments.host
    if host == "none":
        facts = HostFacts()
    elif host == "local":
        facts = local_facts(Path(arguments.sys_root), Path(arguments.proc_root))
    elif host.startswith(_SSH):
        facts = remote_facts(host.removeprefix(_SSH), control)
    else:
        raise KatauiError("--host is local, ssh:HOST or none.")
    slots = "" if arguments.slots is None else str(arguments.slots)
    return facts_as_given(facts, arguments.memory or "", slots)
