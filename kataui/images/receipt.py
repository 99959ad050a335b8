"""The receipt: what was done to an image, told for people (HTML) and for programs (JSON).

The JSON is signed beside the file as ``FILE.sigstore.json``, which ``cosign verify-blob --key
--bundle`` reads (sigstore protobuf-specs, sigstore_bundle.proto, message_signature).
"""

import contextlib
import datetime as dt
import html
import json
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

import kataui
from kataui import files, network
from kataui.images.commands import Written
from kataui.images.proof import Part, Proof
from kataui.images.protectanswers import ProtectAnswers, receipt_paths
from kataui.images.recipients import list_recipients
from kataui.images.simplesigning import make_blob_bundle
from kataui.images.source import Source

FORMAT = "kataui-receipt"
FORMAT_VERSION = 1
_LIBRARIES = ("cryptography", "isal", "zstandard")


class Clock:
    """When the work began."""

    def __init__(self) -> None:
        self.began = dt.datetime.now(dt.UTC)
        self._began_s = time.monotonic()

    @property
    def took_s(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self._began_s


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt; ``value`` is its JSON document."""

    value: dict[str, Any] = field(repr=False)

    def as_json(self) -> bytes:
        """The document as it is written and signed."""
        return json.dumps(self.value, indent=2, ensure_ascii=False).encode() + b"\n"

    def as_html(self) -> bytes:
        """The same for printing: one page, no scripts, nothing loaded from anywhere."""
        value = self.value
        rows = [
            ("Verdict", f"{value['verdict']}: {value['sentence']}"),
            ("Pin", value["pin"]),
            ("Written to", value["result"]["path"]),
            ("Source", f"{value['source']['reference']} {value['source']['digest']}"),
            ("Recipients", ", ".join(value["recipients"])),
            ("Made", f"{value['made']} in {value['took_s']} s"),
            ("Network", value["network"]),
            ("Made with", ", ".join(f"{k} {v}" for k, v in value["versions"].items())),
        ]
        facts = "".join(f"<tr><th>{_esc(k)}</th><td>{_esc(v)}</td></tr>" for k, v in rows)
        checks = "".join(
            f"<tr><th>{_esc(c['check'])}</th><td>{_esc(c['held'])}, {_esc(c['count'])}."
            f" {_esc(c['sentence'])}</td></tr>"
            for c in value["checks"]
        )
        commands = "\n".join(
            _esc(c) for c in (*value["commands"]["push"], *value["commands"]["check"])
        )
        return _PAGE.format(facts=facts, checks=checks, commands=commands).encode()


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Receipt of a protected image</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}}
th{{text-align:left;vertical-align:top;padding:.3rem 1.5rem .3rem 0;white-space:nowrap}}
td{{padding:.3rem 0;overflow-wrap:anywhere}}pre{{white-space:pre-wrap;overflow-wrap:anywhere}}
</style></head><body><h1>Receipt of a protected image</h1>
<table>{facts}</table><h2>What was checked</h2><table>{checks}</table>
<h2>Push and check it</h2><pre>{commands}</pre></body></html>
"""


def _esc(text: object) -> str:
    return html.escape(files.clean(str(text), limit=2000))


def make(
    answers: ProtectAnswers, source: Source, written: Written, proof: Proof, clock: Clock
) -> Receipt:
    """Tell what went in, what came out, what was checked, and what comes next."""
    public = str(Path(answers.sign_key).with_suffix(".pub"))
    private = answers.keys[0] if answers.keys else ""
    return Receipt(
        {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "made": clock.began.isoformat(timespec="seconds"),
            "took_s": round(clock.took_s, 2),
            "verdict": proof.verdict.value,
            "sentence": proof.sentence,
            "pin": f"{written.identity}@{proof.report.digest}",
            "source": _source(source),
            "result": _result(written, proof),
            "recipients": _recipients(proof),
            "asked": list(answers.recipients),
            "checks": [_check(part) for part in proof.parts],
            "findings": [finding.as_json() for finding in proof.findings],
            "network": _network(source),
            "versions": _versions(),
            "commands": {
                "push": written.push_commands(),
                "check": written.check_commands(public, private),
            },
        }
    )


def _network(source: Source) -> str:
    """What was fetched, or that nothing was, as the process itself has seen it."""
    fetched = [item.message for item in source.findings if item.id == "IMG-NETWORK"]
    used = network.used()
    return " ".join([*fetched, used.sentence]) if used.since or fetched else "none used"


def _source(source: Source) -> dict[str, Any]:
    return {
        "reference": source.reference,
        "transport": source.transport.value,
        "digest": str(source.root.digest),
        "layers": [str(x.descriptor.digest) for image in source.images for x in image.layers],
    }


def _result(written: Written, proof: Proof) -> dict[str, Any]:
    return {
        "path": str(written.path),
        "tag": written.tag,
        "digest": str(proof.report.digest),
        "layers": proof.report.as_json()["layers"],
        "signed": [str(digest) for digest in written.signed],
    }


def _recipients(proof: Proof) -> list[str]:
    layers = [layer.layer for item in proof.report.images for layer in item.layers]
    infos = [info for layer in layers for info in list_recipients(layer.descriptor.annotations)]
    texts = (f"{info.scheme.value} {info.name} {info.detail}".strip() for info in infos)
    return list(dict.fromkeys(texts))


def _check(part: Part) -> dict[str, str]:
    return {
        "check": part.title,
        "held": part.held.value,
        "count": part.count,
        "sentence": part.sentence,
    }


def _versions() -> dict[str, str]:
    libraries = {name: metadata.version(name) for name in _LIBRARIES}
    return {"kataui": kataui.__version__, "python": platform.python_version(), **libraries}


@contextlib.contextmanager
def writing(
    target: str, made: Receipt, key: ec.EllipticCurvePrivateKey
) -> Iterator[tuple[Path, ...]]:
    """Write the receipt's files for the time of the block; they stay when the block succeeds."""
    if not target:
        yield ()
        return
    paths = receipt_paths(target)
    document = made.as_json()
    contents = (document, make_blob_bundle(key, document), made.as_html())
    written: list[Path] = []
    try:
        for path, data in zip(paths, contents, strict=True):
            files.replace_file(path, data)
            written.append(path)
        yield paths
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
