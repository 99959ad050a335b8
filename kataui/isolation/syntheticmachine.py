"""Sandboxes as Kata starts them: command lines, threads, and where the control groups are.

Sources: kata-containers 4.1.0, src/runtime (Go) and src/runtime-rs (Rust); kubelet's names of
control groups (cgroupfs and systemd drivers); vhost tasks since Linux 6.4.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kataui.isolation.collector import roles
from kataui.isolation.model import Role
from kataui.isolation.syntheticparts import (
    Group,
    Hypervisor,
    Link,
    Machine,
    Mode,
    Process,
    Runtime,
    Spec,
    Task,
)

_BIN = "/opt/kata/bin"
_RUST_BIN = "/opt/kata/runtime-rs/bin"
_SHARED = "/run/kata-containers/shared/sandboxes"
_VCPU_BLOCKS, _THREAD_BLOCKS = 0xFFFFFFFE7FFBF837, 0xFFFFFFFE7FFBFA77  # as QEMU 7.2 has them
_COMM = 15  # TASK_COMM_LEN without the end


@dataclass(frozen=True, slots=True)
class Site:
    """What a host gives to a new sandbox: the next pid, the time in ticks, its CPUs, its kernel."""

    pid: Callable[[], int]
    start: int
    cpus: tuple[int, ...]
    mode: Mode
    vhost_tasks: bool  # since Linux 6.4 they are threads of the VMM
    netns: int


def machine(spec: Spec, name: str, pod_uid: str, site: Site) -> Machine:
    """A sandbox with the id ``name``, started now."""
    group, overhead = _groups(spec, name, pod_uid)
    maker = _Maker(spec, name, site, group, overhead)
    processes = maker.processes()
    used = {task.group.path: task.group for item in processes for task in item.tasks}
    for item in group.up():
        used.setdefault(item.path, item)
    group.memory = 256 << 20
    return Machine(
        spec=spec,
        id=name,
        pod_uid=pod_uid,
        group=group,
        groups=list(used.values()),
        processes=processes,
        tap=Link("tap0_kata"),
        inner=Link("eth0"),
        veth=Link(f"veth{name[:8]}"),
    )


def _groups(spec: Spec, name: str, uid: str) -> tuple[Group, Group]:
    """The sandbox's group below its pod's, and the one for helpers."""
    level = "" if spec.qos == "guaranteed" else spec.qos
    if spec.systemd:
        middle = f"kubepods-{level}" if level else "kubepods"
        slices = f"/kubepods.slice/{middle}.slice" if level else "/kubepods.slice"
        pod = f"{slices}/{middle}-pod{uid.replace('-', '_')}.slice"
        mine = f"{pod}/cri-containerd-{name}.scope"
        other = f"/kata-overhead.slice/runtime-rs-{name}.scope"
    else:
        pod = "/".join(filter(None, ["/kubepods", level, f"pod{uid}"]))
        mine = f"{pod}/kata_{name}" if spec.runtime is Runtime.GO else f"{pod}/{name}"
        other = f"/kata_overhead/{name}"
    if spec.runtime is Runtime.GO:
        other = f"/kata_overhead/{name}"
    above = Group(pod, quota_cores=spec.quota_cores, memory_max=spec.memory_max)
    group = Group(mine, above=above)
    return group, Group(other) if spec.overhead else group


class _Maker:
    """Makes the processes of one sandbox."""

    def __init__(self, spec: Spec, name: str, site: Site, group: Group, overhead: Group) -> None:
        self._spec = spec
        self._name = name
        self._site = site
        self._group = group
        self._overhead = overhead
        # v2 has no threads elsewhere: the whole VMM moves with its vCPUs; v1 moves those alone
        self._vmm = group if site.mode is Mode.V2 else overhead

    @property
    def _books_guest(self) -> bool:
        return self._spec.named or self._spec.evidence != roles.BY_ORDER

    def processes(self) -> list[Process]:
        """The hypervisor first, if it is a process of its own; then shim, virtiofsd, kthreads."""
        spec = self._spec
        found = []
        if spec.hypervisor is Hypervisor.DRAGONBALL:
            found.append(self._dragonball())
        else:
            found += [self._hypervisor(), self._shim()]
        if spec.virtiofsd and spec.hypervisor not in (
            Hypervisor.FIRECRACKER,
            Hypervisor.DRAGONBALL,
        ):
            found.append(self._virtiofsd())
        vmm = found[0]
        if self._has_vhost and not self._site.vhost_tasks:
            found += [self._vhost_kthread(vmm) for _ in range(spec.queues)]
        return found

    @property
    def _has_vhost(self) -> bool:
        return self._spec.hypervisor in (
            Hypervisor.QEMU,
            Hypervisor.STRATOVIRT,
            Hypervisor.DRAGONBALL,
        )

    def _hypervisor(self) -> Process:
        spec = self._spec
        program = "qemu-system-x86_64" if spec.hypervisor is Hypervisor.QEMU else spec.hypervisor
        process = self._process("vmm", program, command_line(spec, self._name))
        process.main.group = self._vmm
        named = spec.named or spec.hypervisor is not Hypervisor.QEMU
        plain = process.comm
        for name, role, index in _threads(spec):
            group = self._group if role is Role.VCPU else self._vmm
            self._thread(process, name if named else plain, role, group, index)
        self._kernel_made(process)
        return process

    def _kernel_made(self, process: Process) -> None:
        """What the kernel makes inside of a VMM, and names whatever the VMM does."""
        if self._spec.hypervisor in (Hypervisor.QEMU, Hypervisor.STRATOVIRT):
            self._thread(process, "kvm-nx-lpage-recovery", Role.VMM, self._vmm)
        if self._has_vhost and self._site.vhost_tasks:
            for _ in range(self._spec.queues):
                self._thread(process, f"vhost-{process.pid}", Role.VHOST, self._vmm)

    def _dragonball(self) -> Process:
        process = self._shim()
        self._thread(process, "blk_iothread_q0", Role.IOTHREAD, self._overhead)
        for index in range(self._spec.vcpus):
            self._thread(process, f"db_vcpu{index}", Role.VCPU, self._group, index)
        self._kernel_made(process)
        return process

    def _shim(self) -> Process:
        rust = self._spec.runtime is Runtime.RUST
        folder = _RUST_BIN if rust else _BIN
        argv = (
            *(f"{folder}/containerd-shim-kata-v2", "-namespace", "k8s.io"),
            *("-address", "/run/containerd/containerd.sock"),
            *("-publish-binary", "/usr/bin/containerd", "-id", self._name),
        )
        process = self._process("shim", "containerd-shim-kata-v2", argv)
        worker = "tokio-runtime-worker" if rust else process.comm
        for _ in range(4):
            self._thread(process, worker, Role.SHIM, self._overhead)
        return process

    def _virtiofsd(self) -> Process:
        shared = f"{_SHARED}/{self._name}"
        argv: tuple[str, ...] = ("/opt/kata/libexec/virtiofsd", "--syslog", "--cache=auto")
        argv += (f"--shared-dir={shared}/shared", "--fd=3")
        if self._spec.runtime is Runtime.RUST:
            argv = ("/opt/kata/libexec/virtiofsd", "--socket-path", "/run/virtiofsd.sock")
            argv += ("--shared-dir", f"{shared}/ro", "--cache", "auto")
        process = self._process("virtiofsd", "virtiofsd", argv)
        for _ in range(2):
            self._thread(process, "virtiofsd", Role.VIRTIOFSD, self._overhead)
        return process

    def _vhost_kthread(self, vmm: Process) -> Process:
        process = self._process("vmm", f"vhost-{vmm.pid}", ())
        process.ppid, process.netns = 2, 0
        process.main.role, process.main.group = Role.VHOST, vmm.main.group
        process.main.cpus = self._site.cpus  # affinity is not inherited
        return process

    def _process(self, part: str, program: str, argv: tuple[str, ...]) -> Process:
        role = {"shim": Role.SHIM, "virtiofsd": Role.VIRTIOFSD}.get(part, Role.VMM)
        pid = self._site.pid()
        cpus = self._spec.cpus or self._site.cpus
        main = Task(pid, program[:_COMM], role, cpus, self._overhead, cpu=cpus[0])
        netns = 0 if part == "shim" and self._spec.hypervisor != "dragonball" else self._site.netns
        start = self._site.start
        return Process(pid, 1, program[:_COMM], argv, start, part, [main], netns=netns)

    def _thread(
        self, process: Process, name: str, role: Role, group: Group, index: int = -1
    ) -> None:
        cpus = self._spec.cpus or self._site.cpus
        if role is Role.VCPU and self._spec.pinned:
            cpus = (self._spec.pinned[index % len(self._spec.pinned)],)
        task = Task(self._site.pid(), name[:_COMM], role, cpus, group, index, cpu=cpus[0])
        task.blocked = _THREAD_BLOCKS if process.part == "vmm" else 0
        if role is Role.VCPU:  # it has booted
            task.run_ns, task.books_guest = 1e9, self._books_guest
            if self._spec.evidence == roles.BY_SIGNALS:
                task.blocked = _VCPU_BLOCKS
            task.guest_s = task.user_s = 1.0 if self._books_guest else 0.0
            task.system_s = 0.0 if self._books_guest else 1.0
        process.tasks.append(task)


def _threads(spec: Spec) -> list[tuple[str, Role, int]]:
    """Name, role and index of a hypervisor's threads in the order of their creation."""
    vcpus = range(spec.vcpus)
    match spec.hypervisor:
        case Hypervisor.CLOUD_HYPERVISOR:
            before = [("vmm", Role.VMM), ("http-server", Role.VMM), ("signal_handler", Role.VMM)]
            before += [("_disk0_q0", Role.IOTHREAD), ("_net1_qp0", Role.IOTHREAD)]
            name = "vcpu{}"
        case Hypervisor.FIRECRACKER:
            before, name = [("fc_api", Role.VMM)], "fc_vcpu {}"
        case _:
            before, name = [("call_rcu", Role.VMM)], "CPU {}/KVM"
            before += [(f"IO iothread-{n:02x}", Role.IOTHREAD) for n in range(spec.iothreads)]
            before += [("IO mon_iothread", Role.VMM)]
    return [(n, role, -1) for n, role in before] + [(name.format(i), Role.VCPU, i) for i in vcpus]


def command_line(spec: Spec, name: str) -> tuple[str, ...]:
    """What Kata starts a hypervisor with, as far as it tells something."""
    folder = f"/run/vc/vm/{name}" if spec.runtime is Runtime.GO else f"/run/kata/{name}"
    match spec.hypervisor:
        case Hypervisor.QEMU:
            return _qemu(spec, name, folder)
        case Hypervisor.CLOUD_HYPERVISOR:
            socket = "clh-api.sock" if spec.runtime is Runtime.GO else "ch-api.sock"
            return (f"{_BIN}/cloud-hypervisor", "--api-socket", f"{folder}/{socket}")
        case Hypervisor.FIRECRACKER if spec.runtime is Runtime.GO:
            socket = f"/run/vc/firecracker/{name}/root/run/firecracker.socket"
            return (f"{_BIN}/firecracker", "--api-sock", socket, "--config-file", "fcConfig.json")
        case Hypervisor.FIRECRACKER:  # in a jail, where its paths are relative
            return ("/firecracker", "--id", name, "--api-sock", "/run/firecracker.socket")
        case _:
            socket = f"unix:{folder}/qmp.sock,server,nowait"
            return (f"{_BIN}/stratovirt", "-name", f"sandbox-{name}", "-qmp", socket)


def _qemu(spec: Spec, name: str, folder: str) -> tuple[str, ...]:
    names = ",debug-threads=on" if spec.named else ""
    # the Rust runtime gives relative paths (its working folder is the sandbox's)
    folder = f"{folder}/" if spec.runtime is Runtime.GO else ""
    pairs = ":".join(str(10 + n) for n in range(spec.queues))
    queues = f",mq=on,vectors={2 * spec.queues + 2}" if spec.queues > 1 else ""
    iothreads = [f"iothread,id=iothread-{n:02x}" for n in range(spec.iothreads)]
    return (
        *(f"{_BIN}/qemu-system-x86_64", "-name", f"sandbox-{name}{names}"),
        *("-machine", "q35,accel=kvm,nvdimm=on", "-cpu", "host,pmu=off", "-m", "2048M"),
        *("-qmp", f"unix:{folder}qmp.sock,server=on,wait=off"),
        *(part for given in iothreads for part in ("-object", given)),
        *("-netdev", f"tap,id=network-0,vhost=on,vhostfds={pairs},fds={pairs}"),
        *("-device", f"virtio-net-pci,netdev=network-0,mac=02:00:00:00:00:01{queues}"),
        *("-smp", f"{spec.vcpus},cores=1,threads=1,sockets={spec.vcpus},maxcpus={spec.vcpus}"),
        *("-pidfile", f"{folder}pid", "-daemonize"),
    )


def evidence(spec: Spec, process: Process, task: Task) -> str:
    """By what a collector knows this thread's role."""
    kernel_named = task.name.startswith(("kvm-nx-", "vhost-"))
    if kernel_named:
        return roles.BY_NAME
    if task.role in (Role.SHIM, Role.VIRTIOFSD) or task is process.main:
        return roles.BY_PROCESS
    if not spec.named and spec.hypervisor is Hypervisor.QEMU:
        return spec.evidence if task.role is Role.VCPU else roles.BY_ORDER
    named = task.role is not Role.VMM or task.name == "IO mon_iothread"
    return roles.BY_NAME if named else roles.BY_PROCESS
