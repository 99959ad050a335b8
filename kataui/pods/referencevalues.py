"""Reference values of an SEV-SNP guest: its launch digest, and what it was made of.

Sources: trustee, ear_default_policy_cpu.rego (the name of the value), rvps (a message of the type
``sample`` has base64 of JSON; what is there under a name is replaced), tools/kbs-client
(``set-sample-reference-value`` makes a list of one value); kata-containers 4.1.0, annotations.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from kataui.errors import KatauiError
from kataui.files import clean, count_text
from kataui.findings import Finding, Severity
from kataui.kata import sizing
from kataui.kata.classes import find
from kataui.pods.launchdigest import Launch, LaunchInputs, measure
from kataui.pods.model import Pod
from kataui.pods.preparedfiles import MEASUREMENT

NOT_IN_IT = (
    "the size of the guest's memory",
    "the initdata, which the hardware reports by itself (the broker's rule pins it)",
    "disks: the guest's image enters only by a dm-verity root hash on the command line",
)
CHANGES_IT = (
    "The annotations kernel_params, kernel_verity_params and default_vcpus change it, and so may"
    " the CPU limits of the containers: Kata counts the guest's vCPUs by them."
)
_ANNOTATION = "io.katacontainers.config.hypervisor."
_AS_IT_RUNS = "Take firmware, kernel and command line from QEMU's arguments where such a pod runs."


@dataclass(frozen=True, slots=True)
class ReferenceValues:
    """A launch that was measured; ``counted`` says that the vCPUs follow from the manifest."""

    launch: Launch
    counted: bool
    findings: tuple[Finding, ...]

    @property
    def measurement(self) -> str:
        """The launch digest as the verifier compares it: 96 hex digits."""
        return self.launch.digest.hex()

    def facts(self) -> list[tuple[str, str]]:
        """What entered, in words: a name and a value each."""
        inputs = self.launch.inputs
        how = ", counted from the limits in the manifest" if self.counted else ""
        paths = {"Firmware": inputs.firmware, "Kernel": inputs.kernel, "Initrd": inputs.initrd}
        return [
            *(
                (name, f"{Path(path).name}, sha256 {self.launch.sha256[name.lower()]}")
                if path
                else (name, "none")
                for name, path in paths.items()
            ),
            ("Command line", inputs.append),
            ("vCPUs", f"{inputs.vcpus}{how}"),
            ("Type of vCPU", f"{inputs.vcpu_type}, signature {self.launch.signature:#x}"),
            ("Guest features", f"{inputs.guest_features:#x}"),
        ]

    def files(self) -> dict[str, bytes]:
        """The files by name: a document to read, and the message for the RVPS."""
        inputs, launch = self.launch.inputs, self.launch
        paths = {"firmware": inputs.firmware, "kernel": inputs.kernel, "initrd": inputs.initrd}
        document = {
            MEASUREMENT: [self.measurement],
            "made_of": {
                **{
                    what: {"file": Path(path).name, "sha256": launch.sha256[what]} if path else None
                    for what, path in paths.items()
                },
                "command_line": inputs.append,
                "vcpus": inputs.vcpus,
                "vcpus_counted_from_manifest": self.counted,
                "vcpu_type": inputs.vcpu_type,
                "vcpu_signature": f"{launch.signature:#x}",
                "guest_features": f"{inputs.guest_features:#x}",
                "vmm": "QEMU",
            },
            "not_in_it": NOT_IN_IT,
            "computed_by": f"sev-snp-measure {version('sev-snp-measure')}",
        }
        payload = json.dumps({MEASUREMENT: [self.measurement]}, separators=(",", ":")).encode()
        message = {
            "version": "0.1.0",
            "type": "sample",
            "payload": base64.b64encode(payload).decode(),
        }
        return {
            "reference-values.json": json.dumps(document, indent=2).encode() + b"\n",
            "rvps-message.json": json.dumps(message, indent=2).encode() + b"\n",
        }


def reference_for(
    inputs: LaunchInputs | None, pods: Sequence[Pod], runtime_class: str
) -> ReferenceValues | None:
    """Measure the guest in which these pods will run in this class; None without inputs.

    Without a number of vCPUs it is counted as Kata does it. Raises ``KatauiError``; what would
    make a guest report another digest is a finding.
    """
    if inputs is None:
        return None
    counts = [_vcpus(pod, runtime_class) for pod in pods]
    counted = not inputs.vcpus
    if counted:
        inputs = replace(inputs, vcpus=_one_count(set(counts)))
    launch = measure(inputs)
    findings = list(_class_findings(runtime_class))
    for pod, count in zip(pods, counts, strict=True):
        findings += _pod_findings(pod, inputs, count)
        findings += _injected(pod) if counted else ()
    return ReferenceValues(launch, counted, tuple(findings))


def _one_count(counts: set[int | None]) -> int:
    (first, *others) = counts
    if others or first is None:
        known = sorted(count for count in counts if count is not None)
        raise KatauiError(
            f"The pods get {' or '.join(map(str, known))} vCPUs, each number with its own digest."
            if known and None not in counts
            else "How many vCPUs the guest has cannot be told from the manifest.",
            hint="Say how many vCPUs the guest has.",
        )
    return first


def _vcpus(pod: Pod, runtime_class: str) -> int | None:
    """How many vCPUs Kata boots; None when the class or an annotation cannot be understood."""
    size = sizing.size(pod.place.spec, runtime_class)
    told = pod.place.annotations.get(f"{_ANNOTATION}default_vcpus")
    known = find(runtime_class)
    if size is None or known is None or told is None:
        return size.vcpus if size else None
    asked = sizing.sums(pod.place.spec)
    if known.runtime != "go" and (asked.cpu_limit or asked.memory_limit):
        return size.vcpus  # the Rust runtime takes its default without any limit only
    try:
        return size.vcpus - sizing.DEFAULT_VCPUS + int(str(told))
    except ValueError:
        return None


def _class_findings(runtime_class: str) -> Iterator[Finding]:
    known = find(runtime_class)
    if known is None or known.tee != "snp":
        message = f"{clean(runtime_class)} is not known to start SEV-SNP guests: others do not"
        yield _finding("Reference values", f"{message} report this digest.")


def _pod_findings(pod: Pod, inputs: LaunchInputs, count: int | None) -> Iterator[Finding]:
    """What Kata will do differently for this pod."""
    subject = clean(pod.subject)
    if count is not None and count != inputs.vcpus:
        message = f"As its manifest stands, Kata gives it {count_text(count, 'vCPU')}; the launch"
        message += f" digest is for {inputs.vcpus}."
        yield _finding(subject, message, "Prepare again with the vCPUs that QEMU shows (-smp).")
    present = set(inputs.append.replace('"', " ").split())
    for name in ("kernel_params", "kernel_verity_params"):
        value = str(pod.place.annotations.get(f"{_ANNOTATION}{name}", ""))
        words = value.split()
        if name == "kernel_verity_params":
            fields = dict(part.partition("=")[::2] for part in value.split(","))
            words = [fields.get("root_hash", value)] if value else []
        if not present.issuperset(words):
            message = f"Its annotation {name} adds to the kernel's command line, which then is not"
            yield _finding(subject, f"{message} the one that was measured.", _AS_IT_RUNS)


def _injected(pod: Pod) -> Iterator[Finding]:
    for mesh in pod.injectors:
        message = f"{mesh} adds containers; their CPU limits may add vCPUs, and each number of"
        message += " vCPUs has its own launch digest."
        yield _finding(clean(pod.subject), message, "Say how many vCPUs QEMU shows (-smp).")


def _finding(subject: str, message: str, fix: str = "") -> Finding:
    return Finding("PREP-SNP", Severity.WARNING, subject, message, fix=fix)
