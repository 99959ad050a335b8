"""``kataui pod prepare``: protect and pin every image of a pod, and write what belongs to it."""

import argparse

from kataui.cli import passphrase
from kataui.cli.output import STATUS_OF, Output
from kataui.errors import KatauiError
from kataui.files import clean
from kataui.pods.launchdigest import VCPU_TYPE, launch_inputs
from kataui.pods.prepare import DEFAULT_CLASS, PrepareAnswers, Prepared, prepare


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("file", metavar="FILE", help="a manifest")
    parser.add_argument("--images", default="", metavar="DIR", help="its images")
    parser.add_argument("--pull", action="store_true", help="fetch by skopeo what is not there")
    parser.add_argument(
        "--sidecar",
        action="append",
        default=[],
        metavar="NAME=IMAGE",
        help="what a webhook will add, as istio-proxy=docker.io/istio/proxyv2:1.24.0",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="a new folder")
    parser.add_argument("--recipient", action="append", required=True, metavar="R")
    parser.add_argument("--sign-key", required=True, metavar="F", help="a cosign key")
    parser.add_argument("--identity-prefix", required=True, metavar="REGISTRY/NAMESPACE")
    parser.add_argument("--runtime-class", default=DEFAULT_CLASS, metavar="C")
    parser.add_argument("--kbs-url", default="", metavar="U", help="where the guest finds its keys")
    parser.add_argument("--kbs-cert", default="", metavar="F", help="the broker's certificate")
    parser.add_argument("--policy", default="", metavar="F", help="an agent policy (genpolicy)")
    parser.add_argument("--layers", default="all", help='all, above-base or indexes such as "0,2"')
    parser.add_argument("--base", action="append", default=[], metavar="IMAGE=REF|N")
    parser.add_argument("--key", action="append", default=[], metavar="K", help="to prove with")
    _add_launch(parser)
    passphrase.add_arguments(parser)


def _add_launch(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("reference values of an SEV-SNP guest (all may be left out)")
    group.add_argument("--firmware", default="", metavar="F", help="OVMF, as Kata's AMDSEV.fd")
    group.add_argument("--kernel", default="", metavar="F", help="the guest's kernel")
    group.add_argument("--initrd", default="", metavar="F", help="its initrd, when it has one")
    group.add_argument("--append", default="", metavar="TEXT", help="the kernel's command line")
    group.add_argument(
        "--vcpus", default="", metavar="N", help="default: counted as Kata does it for the pod"
    )
    group.add_argument("--vcpu-type", default="", metavar="T", help=f"default: {VCPU_TYPE}")
    group.add_argument("--guest-features", default="", metavar="N", help="default: 0x1, SNP")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Prepare; unknown when a proof could not be made."""
    if not arguments.images and not arguments.pull:
        raise KatauiError("Where are the images?", hint="Give --images DIR, or --pull.")
    answers = PrepareAnswers(
        file=arguments.file,
        images=arguments.images,
        out=arguments.out,
        recipients=tuple(arguments.recipient),
        sign_key=arguments.sign_key,
        identity_prefix=arguments.identity_prefix,
        runtime_class=arguments.runtime_class,
        kbs_url=arguments.kbs_url,
        kbs_certificate=arguments.kbs_cert,
        policy=arguments.policy,
        layers=arguments.layers,
        keys=tuple(arguments.key),
        bases=tuple(arguments.base),
        sidecars=tuple(arguments.sidecar),
        pull=arguments.pull,
        launch=launch_inputs(
            firmware=arguments.firmware,
            kernel=arguments.kernel,
            append=arguments.append,
            initrd=arguments.initrd,
            vcpus=arguments.vcpus,
            vcpu_type=arguments.vcpu_type,
            guest_features=arguments.guest_features,
        ),
    )
    made = prepare(answers, ask=passphrase.asker(arguments), control=output.control())
    _tell(made, output)
    return STATUS_OF[made.verdict]


def _tell(made: Prepared, output: Output) -> None:
    count = len(made.images)
    output.verdict(made.verdict, f"{count} image{'' if count == 1 else 's'} prepared.")
    output.lines(f"  {clean(one.asked)} -> {one.pin}" for one in made.images)
    output.findings(made.findings)
    if made.reference:
        output.line(f"Launch digest: {made.reference.measurement}")
    output.line(f"Open {clean(str(made.out / 'index.html'))}: it says what to do.")
    output.value(
        {
            "verdict": made.verdict.value,
            "out": str(made.out),
            "initdata_digest": made.digest,
            "launch_digest": made.reference.measurement if made.reference else None,
            "images": [
                {
                    "image": one.asked,
                    "pin": one.pin,
                    "folder": one.folder,
                    "verdict": one.verdict.value,
                }
                for one in made.images
            ],
            "findings": [finding.as_json() for finding in made.findings],
        }
    )
