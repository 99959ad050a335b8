"""The parts of a host that does not exist: threads, processes, groups, links, disks, CPUs.

They change as time is made to pass (``syntheticmodel``). Times are seconds, sizes bytes, counters
what the kernel counts; floats, so that nothing is lost between two small steps.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from kataui.isolation.collector.roles import BY_SIGNALS
from kataui.isolation.model import Role

PAGE_BYTES = 4096
TICKS_PER_SECOND = 100


class Hypervisor(StrEnum):
    """The hypervisors that Kata starts; Dragonball lives in the shim."""

    QEMU = "qemu"
    CLOUD_HYPERVISOR = "cloud-hypervisor"
    FIRECRACKER = "firecracker"
    DRAGONBALL = "dragonball"
    STRATOVIRT = "stratovirt"


class Runtime(StrEnum):
    """Kata's two runtimes."""

    GO = "go"
    RUST = "rust"


class Mode(StrEnum):
    """How control groups are mounted."""

    V2 = "v2"
    V1 = "v1"
    HYBRID = "hybrid"


@dataclass(frozen=True, slots=True)
class Spec:
    """A sandbox to be. ``name`` is the pod's; ``id`` is 64 hex digits, made from the seed if empty.

    ``named``: whether the hypervisor names its threads; where it does not, ``evidence`` is the best
    that the host offers (``roles.BY_DEBUGFS`` ... ``roles.BY_ORDER``). ``pinned`` are the CPUs of
    the vCPUs one by one; ``cpus`` are those of all its threads. ``overhead``: helpers live in
    ``kata_overhead`` (``sandbox_cgroup_only=false``). ``quota_cores`` is the pod's limit.
    """

    name: str
    hypervisor: Hypervisor = Hypervisor.QEMU
    runtime: Runtime = Runtime.GO
    id: str = ""
    named: bool = True
    evidence: str = BY_SIGNALS
    vcpus: int = 2
    pinned: tuple[int, ...] = ()
    cpus: tuple[int, ...] = ()
    queues: int = 1
    iothreads: int = 1
    virtiofsd: bool = True
    qos: str = "burstable"
    systemd: bool = False
    overhead: bool = False
    quota_cores: float | None = None
    memory_max: int | None = 2 << 30


@dataclass(frozen=True, slots=True)
class Load:
    """What a sandbox (or a process of the host: ``cores`` only) wants for some seconds.

    ``cores`` is of each vCPU, 0..1. Packets are a second, as the guest sees them. ``reads`` and
    ``writes`` are requests a second of ``io_bytes`` each, ``io_depth`` of them at a time.
    Pages a second: ``reclaim_pages`` are scanned on its behalf, ``refaults`` are read again, and
    its memory grows by ``grow_pages``.
    """

    cores: float = 0.02
    rx_packets: float = 20.0
    tx_packets: float = 20.0
    packet_bytes: int = 300
    reads: float = 2.0
    writes: float = 4.0
    io_bytes: int = 16384
    io_depth: int = 1
    reclaim_pages: float = 0.0
    refaults: float = 0.0
    grow_pages: float = 0.0


@dataclass(slots=True)
class Stall:
    """One resource's pressure: totals in us, and the running averages of the kernel in percent."""

    some_us: float = 0.0
    full_us: float = 0.0
    some: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    full: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])


@dataclass(slots=True, eq=False)
class Group:
    """A control group, the same path in all hierarchies; ``above`` is its pod's."""

    path: str
    above: "Group | None" = None
    quota_cores: float | None = None
    memory_max: int | None = None
    user_us: float = 0.0
    system_us: float = 0.0
    periods: float = 0.0
    throttled: float = 0.0
    throttled_us: float = 0.0
    pressure: dict[str, Stall] = field(
        default_factory=lambda: {name: Stall() for name in ("cpu", "io", "memory")}
    )
    memory: float = 0.0
    dirty: float = 0.0
    refaults: float = 0.0
    read_bytes: float = 0.0
    write_bytes: float = 0.0
    reads: float = 0.0
    writes: float = 0.0

    def holds(self, task: "Task") -> bool:
        """Whether a thread is in it, or below."""
        return self in task.group.up()

    @property
    def usage_us(self) -> int:
        """User and system time, as they are shown."""
        return int(self.user_us) + int(self.system_us)

    def up(self) -> "list[Group]":
        """It and those above it."""
        return [self, *(self.above.up() if self.above else ())]


@dataclass(slots=True, eq=False)
class Task:
    """A thread, and what it had of a CPU in the last step.

    ``want`` is how much it wants (cores), ``got`` what it had, ``waited`` how long it was ready
    without one, both as parts of the step. ``books_guest``: whether this KVM books guest time (a
    paravirtual one does not). ``blocked`` are the signals that it does not take, as a mask.
    """

    tid: int
    name: str
    role: Role
    cpus: tuple[int, ...]
    group: Group
    index: int = -1
    cpu: int = 0
    run_ns: float = 0.0
    wait_ns: float = 0.0
    slices: float = 0.0
    user_s: float = 0.0
    system_s: float = 0.0
    guest_s: float = 0.0
    voluntary: float = 0.0
    involuntary: float = 0.0
    migrations: int = 0
    books_guest: bool = True
    blocked: int = 0
    want: float = 0.0
    got: float = 0.0
    waited: float = 0.0

    @property
    def in_kernel(self) -> float:
        """The part of its time that it spends in the kernel."""
        return {Role.VCPU: 0.04, Role.VHOST: 1.0}.get(self.role, 0.5)


@dataclass(slots=True, eq=False)
class Process:
    """A process; ``part`` is vmm, shim, virtiofsd, or empty for the host's own."""

    pid: int
    ppid: int
    comm: str
    argv: tuple[str, ...]
    start: int
    part: str
    tasks: list[Task]
    rss_pages: float = 3000.0
    read_chars: float = 0.0
    write_chars: float = 0.0
    read_bytes: float = 0.0
    write_bytes: float = 0.0
    reads: float = 0.0
    writes: float = 0.0
    netns: int = 0

    def seconds(self, kind: str) -> float:
        """CPU time of all its threads; ``kind`` is user_s, system_s or guest_s."""
        return float(sum(getattr(task, kind) for task in self.tasks))

    @property
    def main(self) -> Task:
        """Its first thread."""
        return self.tasks[0]

    @property
    def kernel_made(self) -> bool:
        """Whether it is a kernel thread."""
        return self.pid == 2 or self.ppid == 2


@dataclass(slots=True)
class Link:
    """A network link and its counters."""

    name: str
    rx_bytes: float = 0.0
    rx_packets: float = 0.0
    rx_dropped: float = 0.0
    tx_bytes: float = 0.0
    tx_packets: float = 0.0
    tx_dropped: float = 0.0

    def count(self, *, rx: float, tx: float, size: int, dropped: float = 0.0) -> None:
        """Packets of ``size`` bytes that came and went, and those to be sent that were dropped."""
        self.rx_packets += rx
        self.rx_bytes += rx * size
        self.tx_packets += tx
        self.tx_bytes += tx * size
        self.tx_dropped += dropped


@dataclass(slots=True)
class Disk:
    """A block device; it serves ``best`` requests a second, each in ``base_s`` when it is quiet."""

    name: str
    major: int
    minor: int
    best: float = 9000.0
    base_s: float = 0.0002
    reads: float = 0.0
    read_sectors: float = 0.0
    read_ms: float = 0.0
    writes: float = 0.0
    write_sectors: float = 0.0
    write_ms: float = 0.0
    in_flight: int = 0
    io_ms: float = 0.0
    weighted_ms: float = 0.0

    @property
    def number(self) -> str:
        """major:minor."""
        return f"{self.major}:{self.minor}"


@dataclass(slots=True)
class Cpu:
    """A CPU: seconds by kind, softirqs by kind; ``soft`` is softirq time of the last step, 0..1."""

    number: int
    online: bool = True
    user: float = 0.0
    system: float = 0.0
    idle: float = 0.0
    iowait: float = 0.0
    softirq: float = 0.0
    guest: float = 0.0
    timer: float = 0.0
    net_tx: float = 0.0
    net_rx: float = 0.0
    block: float = 0.0
    sched: float = 0.0
    rcu: float = 0.0
    processed: float = 0.0
    dropped: float = 0.0
    squeezed: float = 0.0
    soft: float = 0.0


@dataclass(slots=True, eq=False)
class Machine:
    """A sandbox that runs: its processes, its links, and the host's end of its veth pair."""

    spec: Spec
    id: str
    pod_uid: str
    group: Group
    groups: list[Group]
    processes: list[Process]
    tap: Link
    inner: Link
    veth: Link

    @property
    def primary(self) -> Process:
        """The hypervisor, or the shim where the machine lives in it."""
        return self.processes[0]

    def of_role(self, role: Role) -> list[Task]:
        """Its threads of a role."""
        return [task for item in self.processes for task in item.tasks if task.role == role]

    def serving(self, *roles: Role) -> list[Task]:
        """The threads of the first of some roles that it has; at last the hypervisor's first."""
        for role in roles:
            found = self.of_role(role)
            if found:
                return found
        return [self.primary.main]


@dataclass(slots=True)
class Memory:
    """The host's memory and what reclaim counts (pages, unless a unit is in the name)."""

    total_kb: int = 32 << 20
    available_kb: float = 20 << 20
    dirty: float = 400.0
    writeback: float = 0.0
    major_faults: float = 0.0
    scan_kswapd: float = 0.0
    scan_direct: float = 0.0
    steal_kswapd: float = 0.0
    steal_direct: float = 0.0
    compact_stall: float = 0.0
    refaults: float = 0.0
