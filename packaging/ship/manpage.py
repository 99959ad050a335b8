"""The manual page, made from the parser (man(7), groff_man(7))."""

import argparse
import datetime as dt
import re

from parsers import choices, summaries, whole
from place import VERSION

_END = r"""
.SH EXIT STATUS
.TP
.B 0
Done, or the verdict is pass.
.TP
.B 1
The verdict is fail, or there are findings that are errors.
.TP
.B 2
Bad input or usage.
.TP
.B 3
The verdict is unknown, or it is not possible here: a tool, right or key is missing.
.TP
.B 130
Cancelled.
.PP
Whatever the status, a destination is whole or absent.
.SH ENVIRONMENT
.TP
.B COSIGN_PASSWORD
The passphrase of a cosign key.
.SH FILES
.TP
.I ~/.config/kataui/settings.json
Settings; no secrets.
.SH SEE ALSO
.BR skopeo (1),
.BR cosign (1),
.BR buildah (1)
"""


def text(moment_s: int) -> str:
    """The page ``kataui.1``."""
    day = dt.datetime.fromtimestamp(moment_s, dt.UTC).date().isoformat()
    top = whole()
    lines = [
        f'.TH KATAUI 1 "{day}" "kataui {VERSION}" "User Commands"',
        ".SH NAME",
        r"kataui \- pipelines, confidential images and isolation for Kata Containers",
        ".SH SYNOPSIS",
        ".B kataui",
        r"[\fIFILE\fR]",
        ".br",
        ".B kataui",
        r"\fINOUN\fR \fIVERB\fR [\fIARGUMENTS\fR]",
        ".SH DESCRIPTION",
        "Without a noun, the window opens, with the file if one is given: an image,",
        "a pod's manifest, a pipeline, a recording, a key or a parcel.",
        "A noun is a command for scripts.",
    ]
    for noun, of_noun in choices(top).items():
        lines += [f".SH KATAUI {noun.upper()}", _plain(summaries(top)[noun])]
        verbs = choices(of_noun) or {"": of_noun}
        for verb, parser in verbs.items():
            lines += _verb(noun, verb, parser)
    return "\n".join(lines) + _END


def _verb(noun: str, verb: str, parser: argparse.ArgumentParser) -> list[str]:
    lines = [f".SS kataui {noun} {verb}".rstrip(), _plain(parser.description or "")]
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        names = ", ".join(_plain(name) for name in action.option_strings)
        value = _value(action)
        shown = f".BR {_quoted(names)}" if names else ""
        head = f'{shown} " \\fI{value}\\fR"' if names and value else shown or f".I {_quoted(value)}"
        lines += [".TP", head, _plain(action.help or "") or r"\&"]
    return lines


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.choices is not None:
        return _plain("|".join(map(str, action.choices)))
    wanted = action.metavar or action.dest.upper()
    return _plain(wanted if isinstance(wanted, str) else " ".join(wanted))


def _quoted(text: str) -> str:
    return f'"{text}"'


def _plain(text: str) -> str:
    """Text that roff takes as it is."""
    text = re.sub(r"%\((\w+)\)s", "", text).replace("\\", r"\e").replace("-", r"\-")
    text = text.replace('"', r"\(dq").replace("…", "...").replace("\n", " ")
    return rf"\&{text}" if text.startswith((".", "'")) else text
