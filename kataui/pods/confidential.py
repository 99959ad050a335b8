"""Whether a pod's guest is measured and locked: class, initdata, agent policy, image policy.

Sources: the project's reference, image formats 4.4, 5.1, 6.1 to 6.4; without ``policy.rego`` in its
initdata a guest runs kata-opa's default policy, which allows everything.
"""

from collections.abc import Iterator, Sequence

from kataui.files import clean
from kataui.findings import Finding, Severity
from kataui.kata import initdata
from kataui.kata.classes import find
from kataui.pods import imagepolicy
from kataui.pods.model import Container, Kind, Pod, repository_of
from kataui.pods.policy import POWERS, Policy, PolicyKind, read_policy

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
_LEGACY = ("io.katacontainers.config.agent.policy",)
_HARMLESS = frozenset(("GetDiagnosticDataRequest",))


def check(pod: Pod) -> Iterator[Finding]:
    """Findings about what protects a pod's guest from its host."""
    known = find(pod.runtime_class)
    place = pod.place.location("runtimeClassName") if pod.runtime_class else pod.place.location()
    yield from _class(pod)
    for name in _LEGACY:
        if name in pod.place.annotations:
            message = f"The annotation {name} comes from the host and is not measured."
            fix = "Put the policy into policy.rego of the initdata."
            yield Finding("POD-LEGACY", _WARNING, pod.subject, message, fix=fix, location=place)
    text = pod.place.annotations.get(initdata.ANNOTATION)
    if text is None:
        if known is not None and known.tee:
            message = "It has no initdata: the guest runs with what the host gives it."
            why = "Without it any command may be run in its containers, and any image pulled."
            fix = "kataui pod prepare makes initdata with a policy."
            yield Finding(
                "POD-INITDATA", _ERROR, pod.subject, message, why=why, fix=fix, location=place
            )
        return
    yield from _initdata(pod, str(text), known.tee if known else "")


def initdata_of(pod: Pod) -> initdata.Initdata | None:
    """The initdata of a pod, or None when it has none that can be read."""
    text = pod.place.annotations.get(initdata.ANNOTATION)
    try:
        return initdata.from_annotation(str(text)) if text is not None else None
    except initdata.InitdataProblem:
        return None


def policy_of(pod: Pod) -> Policy | None:
    """The agent policy in its initdata, if there is one."""
    found = initdata_of(pod)
    text = found.data.get("policy.rego") if found else None
    return read_policy(text) if isinstance(text, str) and text.strip() else None


def _class(pod: Pod) -> Iterator[Finding]:
    name = pod.runtime_class
    known = find(name)
    place = pod.place.location("runtimeClassName") if name else pod.place.location()
    fix = "Choose a confidential class: kata-qemu-snp-runtime-rs, kata-qemu-tdx-runtime-rs."
    shown = clean(name, limit=80)
    if not name:
        message = "It asks for no runtime class: containers share the kernel of the node."
        yield Finding("POD-CLASS", _WARNING, pod.subject, message, fix=fix, location=place)
    elif known is None:
        message = f"Whether {shown} encrypts the guest's memory is not known here."
        yield Finding("POD-CLASS", _WARNING, pod.subject, message, location=place, checked=False)
    elif known.tee == "dev":
        message = f"{shown} is for tests: no hardware encrypts the guest's memory."
        yield Finding("POD-CLASS", _WARNING, pod.subject, message, fix=fix, location=place)
    elif not known.confidential:
        message = f"{shown} does not encrypt memory: the host can read the guest."
        yield Finding("POD-CLASS", _WARNING, pod.subject, message, fix=fix, location=place)


def _initdata(pod: Pod, text: str, tee: str) -> Iterator[Finding]:
    place = pod.place.document.location(pod.place.annotation_path(initdata.ANNOTATION))
    try:
        found = initdata.from_annotation(text)
    except initdata.InitdataProblem as error:
        yield Finding("POD-INITDATA", _ERROR, pod.subject, error.message, location=place)
        return
    for problem in initdata.problems(found, tee):
        yield Finding("POD-INITDATA", _ERROR, pod.subject, problem, location=place)
    if found.algorithm in initdata.ALGORITHMS:
        message = f"Its initdata has the {found.algorithm} digest {found.digest().hex()}."
        why = "The key broker must release keys for this digest only."
        yield Finding("POD-INITDATA", _INFO, pod.subject, message, why=why, location=place)
    policy = policy_of(pod)
    if policy is None:
        message = "Its initdata has no policy.rego: the guest's default allows everything."
        yield Finding("POD-POLICY", _ERROR, pod.subject, message, location=place)
    else:
        yield from _policy(pod, policy)
    cdh = found.data.get("cdh.toml")
    yield from _image_policy(pod, cdh if isinstance(cdh, str) else "")


def _policy(pod: Pod, policy: Policy) -> Iterator[Finding]:
    place = pod.place.document.location(pod.place.annotation_path(initdata.ANNOTATION))
    if policy.fails_open:
        message = "AllowRequestsFailingPolicy is true: what the policy refuses passes all the same."
        yield Finding("POD-POLICY", _ERROR, pod.subject, message, location=place)
    if policy.kind is PolicyKind.ALLOW_ALL:
        message = "The agent's policy allows everything: the host may start and run what it likes."
        fix = "Make one for this pod with genpolicy."
        yield Finding("POD-POLICY", _ERROR, pod.subject, message, fix=fix, location=place)
        return
    powers = [POWERS[name] for name in policy.allowed if name not in _HARMLESS]
    if policy.kind is PolicyKind.CUSTOM:
        message = "The agent's policy is somebody's own Rego, which is not evaluated here."
        yield Finding("POD-POLICY", _WARNING, pod.subject, message, location=place, checked=False)
    else:
        powers = [one for one in powers if one != POWERS["CreateContainerRequest"]]
        yield from _covered(pod, policy)
    if powers:
        message = f"The policy lets the host {', '.join(powers)}."
        yield Finding("POD-POLICY", _WARNING, pod.subject, message, location=place)
    if policy.commands:
        shown = "; ".join(clean(one, limit=80) for one in policy.commands[:5])
        message = f"The policy lets the host run commands: {shown}."
        yield Finding("POD-POLICY", _WARNING, pod.subject, message, location=place)


def _covered(pod: Pod, policy: Policy) -> Iterator[Finding]:
    """Containers of the manifest against those of a policy that genpolicy made.

    By repository: a guest takes any image name, so that a policy outlives a new digest; the image
    itself is held by the image policy (the project's reference, 6.3).
    """
    named = [repository_of(one.image) for one in policy.containers]
    for container in pod.containers:
        if container.repository in named:
            named.remove(container.repository)
            continue
        message = f"The container {clean(container.name)} is not in the policy."
        why = "A guest refuses to start it, or, where the policy allows it, nobody knows what runs."
        yield Finding(
            "POD-POLICY", _ERROR, pod.subject, message, why=why, location=container.location
        )
    for image in named:
        message = f"The policy lets the host start {clean(image)}, which is not in the manifest."
        yield Finding("POD-POLICY", _WARNING, pod.subject, message)


def in_policy(pod: Pod, container: Container) -> bool | None:
    """Whether genpolicy's policy has the container's repository; None where nobody can tell."""
    policy = policy_of(pod)
    if policy is None or policy.kind is not PolicyKind.GENPOLICY:
        return None
    wanted = container.kind is not Kind.EPHEMERAL
    return wanted and container.repository in {repository_of(o.image) for o in policy.containers}


def _image_policy(pod: Pod, cdh: str) -> Iterator[Finding]:
    place = pod.place.document.location(pod.place.annotation_path(initdata.ANNOTATION))
    policy = imagepolicy.read_image_policy(cdh)
    if policy is None:
        message = "No image policy in its initdata: the guest pulls whatever the host names."
        fix = "Set image_security_policy in cdh.toml: default reject, and who must have signed."
        yield Finding("POD-IMGPOLICY", _ERROR, pod.subject, message, fix=fix, location=place)
    elif policy.uri:
        message = f"The image policy lies at {policy.uri} and cannot be read here."
        yield Finding(
            "POD-IMGPOLICY", _WARNING, pod.subject, message, location=place, checked=False
        )
    elif policy.problem:
        message = f"The image policy cannot be used. {policy.problem}"
        yield Finding("POD-IMGPOLICY", _ERROR, pod.subject, message, location=place)
    else:
        yield from _faults(pod, policy, pod.containers)


def _faults(
    pod: Pod, policy: imagepolicy.ImagePolicy, containers: Sequence[Container]
) -> Iterator[Finding]:
    if not policy.rejects:
        message = "The image policy does not reject by default: images that it does not name pass."
        yield Finding("POD-IMGPOLICY", _ERROR, pod.subject, message)
    for container in containers:
        for fault in imagepolicy.faults(policy, container.image):
            message = f"The image policy for {clean(container.image)}: {fault}"
            yield Finding(
                "POD-IMGPOLICY", _WARNING, pod.subject, message, location=container.location
            )
