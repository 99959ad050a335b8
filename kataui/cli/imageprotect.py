"""``kataui image protect``: the whole act, or a sample of it."""

import argparse
from pathlib import Path

from kataui.cli import passphrase
from kataui.cli.arguments import add_layers
from kataui.cli.output import STATUS_OF, Output
from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean
from kataui.findings import Verdict
from kataui.images.protect import ProofFailed, Protected, protect
from kataui.images.protectanswers import ProtectAnswers, problems
from kataui.images.protectsample import protect_sample


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the wizard."""
    parser.add_argument("source", metavar="SRC", nargs="?", default="")
    parser.add_argument("destination", metavar="DST", nargs="?", default="")
    parser.add_argument("--recipient", action="append", default=[], metavar="R")
    parser.add_argument("--sign-key", default="", metavar="F", help="the private key to sign with")
    parser.add_argument("--identity", default="", metavar="REGISTRY/REPOSITORY")
    parser.add_argument("--key", action="append", default=[], metavar="K", help="to prove with")
    add_layers(parser)
    parser.add_argument("--receipt", default="", metavar="F", help="write a signed receipt")
    parser.add_argument("--bundle", action="store_true", help="add cosign 3's bundle as well")
    parser.add_argument("--force", action="store_true", help="replace the destination")
    parser.add_argument("--sample", default="", metavar="DIR", help="try it in a new folder")
    passphrase.add_arguments(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Protect, or protect the sample; the exit status is that of the proof."""
    control = output.control()
    try:
        if arguments.sample:
            if arguments.source:
                raise KatauiError("--sample makes its own image; leave SRC and DST out.")
            done = protect_sample(Path(arguments.sample), control)
        else:
            answers = _answers(arguments)
            _require_whole(answers)
            done = protect(answers, ask=passphrase.asker(arguments), control=control)
    except ProofFailed as error:
        return _failed(error, output)
    _show(done, output)
    return STATUS_OF[done.proof.verdict]


def _answers(arguments: argparse.Namespace) -> ProtectAnswers:
    return ProtectAnswers(
        source=arguments.source,
        destination=arguments.destination,
        recipients=tuple(arguments.recipient),
        sign_key=arguments.sign_key,
        identity=arguments.identity,
        keys=tuple(arguments.key),
        layers=arguments.layers,
        base=arguments.base,
        profile=arguments.profile,
        platform=arguments.platform,
        receipt=arguments.receipt,
        bundle=arguments.bundle,
        force=arguments.force,
    )


def _require_whole(answers: ProtectAnswers) -> None:
    wrong = problems(answers)
    if wrong:
        more = f" And {len(wrong) - 1} more." if len(wrong) > 1 else ""
        raise KatauiError(f"{wrong[0].text}{more}", hint="See kataui image protect --help.")


def _failed(error: ProofFailed, output: Output) -> int:
    proof = error.proof
    output.verdict(Verdict.FAIL, proof.sentence)
    output.findings(proof.findings)
    output.value({**proof.report.as_json(), "verdict": "fail"})
    return ExitStatus.FAIL


def _show(done: Protected, output: Output) -> None:
    proof, receipt = done.proof, done.receipt.value
    output.verdict(proof.verdict, proof.sentence)
    for part in proof.parts:
        output.line(f"  {part.held.value:<11}  {part.title:<30} {part.count}")
    output.findings(proof.findings)
    output.line(f"Written to {clean(str(done.written.path))}")
    output.line(f"Pin        {receipt['pin']}")
    for path in done.receipt_files[:1]:
        output.line(f"Receipt    {clean(str(path))}")
    output.line("Push it with")
    output.lines(f"  {line}" for line in receipt["commands"]["push"])
    output.line("Check it without kataui")
    output.lines(f"  {line}" for line in receipt["commands"]["check"])
    output.value(
        {
            **proof.report.as_json(),
            "verdict": proof.verdict.value,
            "findings": [finding.as_json() for finding in proof.findings],
            "receipt": receipt,
        }
    )
