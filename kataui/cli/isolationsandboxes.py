"""``kataui isolation sandboxes``: what runs here, found from /proc alone."""

import argparse

from kataui.cli.isolationsource import add_arguments as add_source
from kataui.cli.isolationsource import chosen, feed
from kataui.cli.output import Output
from kataui.errors import ExitStatus, KatauiError
from kataui.isolation.analysis import Analysis
from kataui.isolation.model import HostView, Sandbox
from kataui.isolation.sources.feed import Line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    add_source(parser, rate=False)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Take one sample and list what is in it."""
    analysis = Analysis()
    with feed(chosen(arguments)) as source:
        while not any(analysis.take(record) for record in source.read(1.0)):
            if source.state.line is Line.ENDED:
                raise KatauiError("The source holds no sample.")
    view = analysis.layout.view
    _show(view, output)
    output.value({"host": view.name, "sandboxes": [_document(item) for item in view.sandboxes]})
    return ExitStatus.DONE


def _document(sandbox: Sandbox) -> dict[str, object]:
    return {
        "id": sandbox.id,
        "name": sandbox.name,
        "hypervisor": sandbox.hypervisor,
        "runtime": sandbox.runtime or None,
        "pid": sandbox.pid,
        "qos": sandbox.qos or None,
        "group": sandbox.group,
        "links": [link.name for link in sandbox.links],
        "threads": [
            {
                "tid": thread.tid,
                "role": thread.role.value,
                "index": thread.index if thread.index >= 0 else None,
                "name": thread.name,
                "cpus_allowed": list(thread.cpus),
                "evidence": thread.evidence,
            }
            for thread in sorted(sandbox.threads, key=lambda item: item.tid)
        ],
    }


def _show(view: HostView, output: Output) -> None:
    count = len(view.sandboxes)
    output.line(f"{view.name}: {count} sandbox{'' if count == 1 else 'es'}")
    rows = []
    for sandbox in view.sandboxes:
        roles: dict[str, int] = {}
        for thread in sandbox.threads:
            roles[thread.role.value] = roles.get(thread.role.value, 0) + 1
        threads = ", ".join(f"{number} {role}" for role, number in roles.items())
        rows.append([sandbox.name, sandbox.hypervisor, str(sandbox.pid), threads])
    if rows:
        output.table(["SANDBOX", "HYPERVISOR", "PID", "THREADS"], rows)
