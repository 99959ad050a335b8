"""``kataui image build``: a new image from folders, files, a tar, a base or a Containerfile."""

import argparse
import sys

from kataui.cli.output import Output
from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean
from kataui.images.build import Addition, BuildAnswers, build
from kataui.images.buildanswers import parse_label, parse_words


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("destination", metavar="DST", help="a new layout folder, or oci-archive:")
    parser.add_argument("--base", default="", metavar="REF", help="the image to build upon")
    parser.add_argument("--rootfs", default="", metavar="DIR|TAR", help="the root file system")
    parser.add_argument("--add", action="append", default=[], metavar="SRC:/PATH[:UID:GID]")
    parser.add_argument("--remove", action="append", default=[], metavar="/PATH")
    parser.add_argument("--containerfile", default="", metavar="F", help="build it with buildah")
    parser.add_argument("--context", default="", metavar="DIR", help="folder of the Containerfile")
    parser.add_argument("--entrypoint", metavar="WORDS", help="quoted as for a shell")
    parser.add_argument("--cmd", metavar="WORDS", help="quoted as for a shell")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--user", default="")
    parser.add_argument("--workdir", default="")
    parser.add_argument("--label", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--platform", default="", help="os/arch (default: this machine's)")
    parser.add_argument("--force", action="store_true", help="replace the destination")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Build, and say what was built."""
    answers = BuildAnswers(
        destination=arguments.destination,
        base=arguments.base,
        rootfs=arguments.rootfs,
        add=tuple(_addition(text) for text in arguments.add),
        remove=tuple(arguments.remove),
        containerfile=arguments.containerfile,
        context=arguments.context,
        entrypoint=_words(arguments.entrypoint),
        command=_words(arguments.cmd),
        env=tuple(arguments.env),
        user=arguments.user,
        working_dir=arguments.workdir,
        labels=tuple(parse_label(text) for text in arguments.label),
        platform=arguments.platform,
        force=arguments.force,
    )
    built = build(answers, output.control(), lambda line: print(line, file=sys.stderr))
    output.line(f"Built {clean(str(built.path))}:{built.tag}  {built.digest}")
    output.findings(built.findings)
    output.value(
        {
            "destination": str(built.path),
            "tag": built.tag,
            "digest": str(built.digest),
            "layers": built.layers,
            "left_out": list(built.left_out),
            "findings": [finding.as_json() for finding in built.findings],
        }
    )
    return ExitStatus.DONE


def _addition(text: str) -> Addition:
    """``SRC:/PATH`` or ``SRC:/PATH:UID:GID``; the last ``:/`` divides."""
    source, colon, rest = text.rpartition(":/")
    if not colon or not source:
        raise KatauiError(
            f"{clean(text, limit=90)!r} does not say where to.", hint="Write SRC:/PATH[:UID:GID]."
        )
    target, _, owner = rest.partition(":")
    return Addition(source, f"/{target}", owner)


def _words(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else parse_words(text)
