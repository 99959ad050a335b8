"""Limits of the network: who is limited, whether it holds, and what runs full."""

from collections.abc import Iterator

from kataui.isolation.checks import kata
from kataui.isolation.checks.check import (
    Answer,
    Check,
    Level,
    Path,
    Scene,
    fails,
    notes,
    passes,
    unknown,
    warns,
)
from kataui.isolation.checks.evidence import document, graded, percent, runs_share, waits_share
from kataui.isolation.checks.networkparts import (
    NET,
    Namespace,
    backend,
    cards,
    configured,
    limit_fix,
    limit_keys,
    local,
    namespace,
    namespaces,
    sysctl,
    taps,
    traffic,
    without_configuration,
    without_namespaces,
)
from kataui.isolation.collector.commandline import GO, QEMU
from kataui.isolation.model import HostView, Role, Sandbox
from kataui.isolation.span import at

_LIMITERS = frozenset({"htb", "tbf", "hfsc", "cbq"})
_KEYS = ("rx_rate_limiter_max_rate", "tx_rate_limiter_max_rate", "net_rate_limiter_bw_max_rate")
_BUSY_BYTES = 1_000_000  # a second: less is nobody's trouble
_WAITS = 0.02  # as CPU-07: from here on waiting is felt
_DROPS = 1e-6  # as NET-07
_LOST = ("drop", "early_drop")


def _is_limited(view: HostView, sandbox: Sandbox) -> bool | None:
    """Whether something limits a sandbox's network; None when it cannot be known."""
    if any(kata.setting(view, sandbox, key) for key in limit_keys(sandbox)):
        return True
    found = namespace(view, sandbox)
    if found is None:
        return None
    inside = {row.get("kind") for rows in found.disciplines.values() for row in rows}
    peers = {link.get("peer") for link in found.links.values()} - {0, None}
    outside = {
        row.get("kind")
        for row in document(view, "netlink:qdisc") or ()
        if row.get("ifindex") in peers
    }
    return bool(_LIMITERS & (inside | outside))


def _limited(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    sandboxes = [sandbox for sandbox in local(view) if backend(sandbox) != "vfio"]
    if len(view.sandboxes) < 2:
        return
    for sandbox in sandboxes:
        limited = _is_limited(view, sandbox)
        if limited is None:
            text = "Needs root to read its queueing disciplines: a CNI plugin may limit it."
            yield unknown(sandbox.name, text)
        elif limited:
            yield passes(sandbox.name)
        else:
            fix, undo = limit_fix(view, sandbox)
            text = "Nothing limits its network, and it shares the host."
            yield warns(sandbox.name, text, fix=fix, undo=undo)


def _effective(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    yield from without_configuration(scene)
    for sandbox in configured(scene):
        asked = [key for key in _KEYS if kata.setting(view, sandbox, key)]
        if asked and not sandbox.runtime:
            text = "A limit is configured; whether its runtime (Go or Rust) heeds it is not known."
            yield unknown(sandbox.name, text)
        elif asked and not set(asked) & set(limit_keys(sandbox)):
            fix, undo = limit_fix(view, sandbox)
            text = f"{', '.join(asked)}: this runtime ignores it for {sandbox.hypervisor}."
            yield fails(sandbox.name, text, fix=fix, undo=undo)
        elif asked and (sandbox.hypervisor, sandbox.runtime) != (QEMU, GO):
            text = f"{sandbox.hypervisor} limits by itself; its API was not asked."
            yield unknown(sandbox.name, text)
        elif asked:
            yield _held(sandbox, asked, namespace(view, sandbox))


def _held(sandbox: Sandbox, asked: list[str], found: Namespace | None) -> Answer:
    """QEMU under Go: HTB on the tap for what the guest gets, on eth0 or ifb0 for what it sends."""
    if found is None:
        text = "Needs root to read the queueing disciplines in its network namespace."
        return unknown(sandbox.name, text)
    held = {
        name
        for name, rows in found.disciplines.items()
        if any(r.get("kind") == "htb" for r in rows)
    }
    missing = []
    if _KEYS[0] in asked and not held & set(taps(found.links)):
        missing.append("its tap (received)")
    if _KEYS[1] in asked and not held & {"eth0", "ifb0"}:
        missing.append("eth0 (sent)")
    if missing:
        text = f"A limit is configured, but there is no htb on {' nor on '.join(missing)}."
        return fails(sandbox.name, text)
    return passes(sandbox.name)


def _at_limit(scene: Scene) -> Iterator[Answer]:
    yield from without_namespaces(scene, "the queueing disciplines")
    for sandbox, found in namespaces(scene):
        for name, rows in found.disciplines.items():
            limiters = [row for row in rows if row.get("kind") in _LIMITERS]
            held = sum(int(row.get("overlimits", 0)) for row in limiters)
            if not limiters:
                continue
            subject = f"{sandbox.name}, {name}"
            text = f"Its limit held packets back {held} times since it started"
            if held and _drop_ratio(scene, sandbox) > 0:
                yield warns(subject, f"{text}, and packets are dropped now: that is no neighbour.")
            elif held:
                yield notes(subject, f"{text}; nothing is dropped now.")
            else:
                yield passes(subject)


def _drop_ratio(scene: Scene, sandbox: Sandbox) -> float:
    """Part of a sandbox's packets that were dropped; 0 when nothing was counted."""
    sums = []
    for names in (("rx_dropped", "tx_dropped"), ("rx_packets", "tx_packets")):
        deltas = [scene.span.delta("link", name) for name in names]
        values = [at(delta, link.slot) for delta in deltas for link in sandbox.links]
        sums.append(sum(value for value in values if value > 0))
    return sums[0] / (sums[0] + sums[1]) if sums[0] else 0.0


def _connections(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    most = view.number("/proc/sys/net/netfilter/nf_conntrack_max")
    count = at(scene.span.now("host", "conntrack_count"), 0)
    if most and count >= 0:
        fix, undo = sysctl(view, "net.netfilter.nf_conntrack_max", 2 * most)
        text = f"{count:.0f} of {most} connections are tracked ({percent(count / most)})."
        answer = graded(view.name, count / most, 0.60, 0.85, text)
        yield Answer(view.name, text, answer.severity, fix=fix, undo=undo)
    elif most:
        yield unknown(view.name, "The number of tracked connections was not read yet.")


def _lost_connections(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    totals = _tracking(view)
    if totals is None:
        yield unknown(view.name, "Needs root to read /proc/net/stat/nf_conntrack.")
    else:
        lost = sum(totals.get(name, 0) for name in _LOST)
        failed = totals.get("insert_failed", 0)
        if lost:
            text = f"{lost} packets were dropped since the host started: the table was full."
            yield warns(view.name, text)
        elif failed:
            text = f"{failed} connections could not be entered (two at once) since the host started"
            yield notes(view.name, f"{text}; a few are usual.")
        else:
            yield passes(view.name)
    text = "The firewall's rules are not counted here. As root: nft list ruleset | wc -l"
    yield unknown(view.name, f"{text} (more than 5000: use ipvs, nftables sets or eBPF).")


def _tracking(view: HostView) -> dict[str, int] | None:
    """Sums over all CPUs of /proc/net/stat/nf_conntrack: a line of names, then hexadecimal."""
    lines = (view.fact("/proc/net/stat/nf_conntrack") or "").splitlines()
    if len(lines) < 2:
        return None
    names = lines[0].split()
    totals = dict.fromkeys(names, 0)
    try:
        for line in lines[1:]:
            for name, text in zip(names, line.split(), strict=False):
                totals[name] += int(text, 16)
    except ValueError:
        return None
    return totals


def _functions(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    numbers = {
        card.name: view.number(f"{NET}{card.name}/device/sriov_numvfs") for card in cards(view)
    }
    rows = document(view, "netlink:vf")
    for name, number in numbers.items():
        if not number:
            continue
        mine = [row for row in rows or () if row.get("link") == name]
        if not mine:
            yield unknown(name, "The settings of its virtual functions could not be read.")
        for row in mine:
            vf = row.get("vf")
            subject, command = f"{name}, VF {vf}", f"ip link set {name} vf {vf}"
            if row.get("spoof_check") is False:
                yield fails(
                    subject,
                    "It may send with addresses of others (spoof check off).",
                    fix=f"{command} spoofchk on",
                    undo=f"{command} spoofchk off",
                )
            elif not row.get("max_mbps"):
                yield warns(
                    subject,
                    "It may use all of the card (no max_tx_rate).",
                    fix=f"{command} max_tx_rate 1000",
                    undo=f"{command} max_tx_rate 0",
                )
            else:
                yield passes(subject)


def _top_talker(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    talks = {sandbox.key: traffic(scene, sandbox) for sandbox in local(view)}
    known = {key: pair for key, pair in talks.items() if pair[0] >= 0}
    if len(known) < 2:
        return
    rates = [scene.span.rate("link", name) for name in ("rx_bytes", "tx_bytes")]
    outside = sum(at(rate, card.slot) for rate in rates for card in cards(view))
    between = sum(size for size, _ in known.values())
    total = max(between, outside) if outside > 0 else between
    top = view.by_key[max(known, key=lambda key: known[key][0])]
    size, packets = known[top.key]
    hurt = [s.name for s in local(view) if s.key != top.key and _suffers(scene, s)]
    share = size / total if total else 0.0
    text = f"It moves {percent(share)} of the host's traffic, {packets:.0f} packets a second"
    if total < _BUSY_BYTES or share <= 0.5:
        yield passes(view.name, "Nobody has most of the traffic.")
    elif hurt:
        fix, undo = limit_fix(view, top)
        yield warns(top.name, f"{text}, while {', '.join(hurt[:3])} suffers.", fix=fix, undo=undo)
    else:
        yield notes(top.name, f"{text}; nobody else suffers.")


def _suffers(scene: Scene, sandbox: Sandbox) -> bool:
    """Whether a sandbox's packets are dropped, or its vCPUs and vhost threads wait."""
    threads = sandbox.of_role(Role.VCPU, Role.VHOST)
    runs = sum(value for t in threads if (value := runs_share(scene, t)) > 0)
    waits = sum(value for t in threads if (value := waits_share(scene, t)) > 0)
    busy = runs + waits > 0.005
    return _drop_ratio(scene, sandbox) > _DROPS or (busy and waits / (runs + waits) >= _WAITS)


CHECKS = (
    Check(
        "NET-05",
        Path.NETWORK,
        "Each pod's network has a limit",
        Level.ROOT,
        "One pod without a limit can fill the card and the CPUs that process packets.",
        _limited,
    ),
    Check(
        "NET-06",
        Path.NETWORK,
        "Configured limits hold",
        Level.ROOT,
        "Some runtimes ignore the key, and pods that ran before keep what they had.",
        _effective,
        fix="Start the pod anew; if nothing changes, limit it with the CNI bandwidth plugin.",
        undo="Take the plugin's annotations off the pod.",
    ),
    Check(
        "NET-26",
        Path.NETWORK,
        "Limits are not what slows a pod",
        Level.ROOT,
        "A pod at its own limit looks as if a neighbour hurt it.",
        _at_limit,
        fix="Raise the limit of this pod.",
        undo="Lower it again.",
    ),
    Check(
        "NET-27",
        Path.NETWORK,
        "The table of connections has room",
        Level.USER,
        "When it is full no tenant gets new connections, whoever filled it.",
        _connections,
    ),
    Check(
        "NET-28",
        Path.NETWORK,
        "Connections are tracked without losses",
        Level.ROOT,
        "Long lists of rules cost CPU for each packet, in softirqs that nobody pays for.",
        _lost_connections,
        fix="sysctl -w net.netfilter.nf_conntrack_max=N (larger), and NOTRACK for bulk traffic.",
        undo="sysctl -w net.netfilter.nf_conntrack_max=BEFORE",
    ),
    Check(
        "NET-32",
        Path.NETWORK,
        "Virtual functions have limits and checks",
        Level.USER,
        "A virtual function without them can starve the card, or speak for others.",
        _functions,
    ),
    Check(
        "NET-37",
        Path.NETWORK,
        "Nobody talks at the others' cost",
        Level.USER,
        "Who moves most of the traffic uses most of the CPU that packets need.",
        _top_talker,
    ),
)
