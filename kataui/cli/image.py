"""``kataui image``: inspect, build, encrypt, decrypt, recipients, sign, verify, protect."""

import argparse
from collections.abc import Callable
from pathlib import Path

from kataui.cli import imagebuild, imageprotect, passphrase
from kataui.cli.output import STATUS_OF, Output
from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean, size_text
from kataui.images.cosignkey import load_public_key, load_signing_key
from kataui.images.encrypt import choose_profile, decrypt_image, encrypt_image
from kataui.images.inspect import find_base, layer_rows, readable_facts, select_layers
from kataui.images.keys import load_keys
from kataui.images.model import Image
from kataui.images.open import open_source
from kataui.images.recipients import parse_recipient
from kataui.images.rewrap import change_recipients
from kataui.images.sign import sign_source
from kataui.images.signatures import PublicKey
from kataui.images.source import Source
from kataui.images.verdict import Need
from kataui.images.verify import verify
from kataui.images.writer import destination

Run = Callable[[argparse.Namespace, Output], int]
_REFERENCE = "PATH[:TAG], oci:..., oci-archive:..., docker-archive:..., docker://..."


def add_parser(nouns: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the noun and its verbs."""
    noun = nouns.add_parser("image", help="protect, inspect and verify container images")
    verbs = noun.add_subparsers(dest="verb", metavar="VERB", required=True)
    _inspect_parser(add_verb(verbs, "inspect", "what an image is and what can be read", _inspect))
    imagebuild.add_arguments(add_verb(verbs, "build", "make a new image", imagebuild.run))
    _encrypt_parser(add_verb(verbs, "encrypt", "encrypt layers", _encrypt))
    _decrypt_parser(add_verb(verbs, "decrypt", "decrypt layers", _decrypt))
    _recipients_parser(add_verb(verbs, "recipients", "who may decrypt", _recipients))
    _sign_parser(add_verb(verbs, "sign", "sign a layout in place", _sign))
    _verify_parser(add_verb(verbs, "verify", "judge an image, with evidence", _verify))
    imageprotect.add_arguments(
        add_verb(verbs, "protect", "encrypt, sign and prove in one act", imageprotect.run)
    )


def add_verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, run: Run
) -> argparse.ArgumentParser:
    """A verb with the arguments that every verb has."""
    parser = verbs.add_parser(name, help=text, description=text.capitalize() + ".")
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def add_layers(parser: argparse.ArgumentParser) -> None:
    """Which layers, for whom: shared by encrypt and protect."""
    parser.add_argument(
        "--layers", default="all", help='all, above-base or indexes such as "0,2,-1" (default all)'
    )
    parser.add_argument("--base", default="", help="number of base layers, or the base image")
    parser.add_argument("--profile", choices=["host", "coco"], default="", help="who opens it")
    parser.add_argument("--platform", default="", help="os/arch, or all (default all)")


def _inspect_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="REF", help=_REFERENCE)
    parser.add_argument("--base", default="", help="number of base layers, or the base image")
    parser.add_argument("--platform", default="", help="os/arch, or all")


def _inspect(arguments: argparse.Namespace, output: Output) -> int:
    with open_source(
        arguments.source, platform=arguments.platform, control=output.control()
    ) as source:
        documents = []
        for image in source.images:
            base = find_base(image, arguments.base)
            documents.append(_describe(image, base, output))
        output.findings(source.findings)
        output.value(
            {
                "reference": source.reference,
                "transport": source.transport.value,
                "digest": str(source.root.digest),
                "images": documents,
                "findings": [finding.as_json() for finding in source.findings],
            }
        )
    return ExitStatus.DONE


def _describe(image: Image, base: object, output: Output) -> dict[str, object]:
    rows = layer_rows(image, base)  # type: ignore[arg-type]
    facts = readable_facts(image)
    output.line(f"{image.config.platform}  {image.digest}  {size_text(image.size_bytes)}")
    output.table(
        ("layer", "size", "from", "encrypted", "recipients", "made by"),
        [
            (
                str(row.index),
                size_text(row.size_bytes),
                row.origin,
                "yes" if row.encrypted else "no",
                row.recipients or "-",
                clean(row.command, limit=60),
            )
            for row in rows
        ],
    )
    output.line("What still can be read:")
    output.findings(facts)
    return {
        "platform": str(image.config.platform),
        "digest": str(image.digest),
        "layers": [
            {
                "index": row.index,
                "size": row.size_bytes,
                "media_type": row.media_type,
                "command": row.command,
                "origin": row.origin,
                "encrypted": row.encrypted,
                "recipients": row.recipients,
            }
            for row in rows
        ],
        "readable": [finding.as_json() for finding in facts],
    }


def _encrypt_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SRC", help=_REFERENCE)
    parser.add_argument("destination", metavar="DST", help="a new layout folder, or oci-archive:")
    parser.add_argument("--recipient", action="append", default=[], metavar="R", required=True)
    parser.add_argument("--force", action="store_true", help="replace the destination")
    add_layers(parser)


def _encrypt(arguments: argparse.Namespace, output: Output) -> int:
    recipients = [parse_recipient(text) for text in arguments.recipient]
    profile = choose_profile(arguments.profile, recipients)
    control = output.control()
    with open_source(arguments.source, platform=arguments.platform, control=control) as source:
        chosen = {
            image.digest: frozenset(
                select_layers(arguments.layers, image, find_base(image, arguments.base))
            )
            for image in source.images
        }
        with destination(
            arguments.destination, force=arguments.force, needed_bytes=_size(source)
        ) as place:
            root = encrypt_image(
                source,
                place.layout,
                recipients=recipients,
                selection=lambda image: chosen[image.digest],
                profile=profile,
                tag=place.reference.tag,
                control=control,
            )
            place.pack(control)
            place.commit()
    return _written(output, arguments.destination, str(root.digest))


def _decrypt_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SRC", help=_REFERENCE)
    parser.add_argument("destination", metavar="DST", help="a new layout folder, or oci-archive:")
    parser.add_argument("--key", action="append", default=[], metavar="K", required=True)
    parser.add_argument("--platform", default="", help="os/arch, or all (default all)")
    parser.add_argument("--force", action="store_true", help="replace the destination")
    passphrase.add_arguments(parser)


def _decrypt(arguments: argparse.Namespace, output: Output) -> int:
    ring = load_keys(tuple(arguments.key), passphrase.asker(arguments))
    control = output.control()
    with (
        open_source(arguments.source, platform=arguments.platform, control=control) as source,
        destination(
            arguments.destination, force=arguments.force, needed_bytes=_size(source)
        ) as place,
    ):
        root = decrypt_image(
            source, place.layout, ring=ring, tag=place.reference.tag, control=control
        )
        place.pack(control)
        place.commit()
    return _written(output, arguments.destination, str(root.digest))


def _size(source: Source) -> int:
    return sum(image.size_bytes for image in source.images) + (8 << 20)


def _written(output: Output, target: str, digest: str) -> int:
    output.line(f"Wrote {clean(target)}  {digest}")
    output.value({"destination": target, "digest": digest})
    return ExitStatus.DONE


def _recipients_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="REF", help="an OCI layout folder, with :TAG if needed")
    parser.add_argument("--key", action="append", default=[], metavar="K", help="a private key")
    parser.add_argument("--add", action="append", default=[], metavar="R", help="a recipient")
    parser.add_argument("--remove", action="append", default=[], metavar="R", help="who to remove")
    passphrase.add_arguments(parser)


def _recipients(arguments: argparse.Namespace, output: Output) -> int:
    ring = load_keys(tuple(arguments.key), passphrase.asker(arguments))
    with open_source(arguments.source) as source:
        change = change_recipients(
            source,
            ring=ring,
            add=[parse_recipient(text) for text in arguments.add],
            remove=arguments.remove,
        )
    output.lines(f"Layer {index}: {names}" for index, names in change.recipients)
    output.line(f"Digest {change.digest}")
    output.findings(change.findings)
    output.value(
        {
            "digest": str(change.digest),
            "layers": [{"index": i, "recipients": names} for i, names in change.recipients],
            "findings": [finding.as_json() for finding in change.findings],
        }
    )
    return ExitStatus.DONE


def _sign_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="REF", help="an OCI layout folder, with :TAG if needed")
    parser.add_argument("--key", required=True, metavar="F", help="the private key to sign with")
    parser.add_argument("--identity", required=True, metavar="REGISTRY/REPOSITORY")
    parser.add_argument("--bundle", action="store_true", help="add cosign 3's bundle as well")
    passphrase.add_arguments(parser)


def _sign(arguments: argparse.Namespace, output: Output) -> int:
    key = load_signing_key(Path(arguments.key), passphrase.asker(arguments))
    with open_source(arguments.source) as source:
        signed = sign_source(
            source,
            key=key,
            identity=arguments.identity,
            bundle=arguments.bundle,
            control=output.control(),
        )
    output.lines(f"Signed {digest} for {signed.identity}" for digest in signed.digests)
    output.value(
        {
            "digest": str(signed.root),
            "signed": [str(digest) for digest in signed.digests],
            "identity": signed.identity,
        }
    )
    return ExitStatus.DONE


def _verify_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="REF", help=_REFERENCE + " or dir:")
    parser.add_argument("--public-key", action="append", default=[], metavar="F")
    parser.add_argument("--key", action="append", default=[], metavar="K", help="a private key")
    parser.add_argument("--identity", default="", help="the repository it must be signed for")
    parser.add_argument("--require", default="encrypted,signed", help="encrypted, signed or both")
    parser.add_argument("--platform", default="", help="os/arch, or all (default all)")
    passphrase.add_arguments(parser)


def _verify(arguments: argparse.Namespace, output: Output) -> int:
    require = parse_require(arguments.require)
    keys = [load_public_key(Path(path)) for path in arguments.public_key]
    public_keys = [
        PublicKey(Path(path).name, key)
        for path, key in zip(arguments.public_key, keys, strict=True)
    ]
    ring = load_keys(tuple(arguments.key), passphrase.asker(arguments))
    control = output.control()
    with open_source(arguments.source, platform=arguments.platform, control=control) as source:
        report = verify(
            source,
            public_keys=public_keys,
            ring=ring,
            identity=arguments.identity,
            require=require,
            control=control,
        )
    output.verdict(report.verdict, report.sentence)
    output.line(f"  {report.digest}")
    output.lines(
        f"  signature {item.status.value} {item.identity} {item.key} {clean(item.reason)}".rstrip()
        for item in report.signatures
    )
    output.findings(report.findings)
    output.value(report.as_json())
    return STATUS_OF[report.verdict]


def parse_require(text: str) -> frozenset[Need]:
    """What ``--require`` asks for; raises ``KatauiError`` for unknown words."""
    try:
        return frozenset(Need(word.strip()) for word in text.split(","))
    except ValueError as error:
        raise KatauiError(
            f"--require knows encrypted and signed, not {clean(text, limit=60)!r}."
        ) from error
