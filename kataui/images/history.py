"""Making the history lines of an image readable.

Source: OCI image-spec v1.1, config.md, "history"; how the classic builder and BuildKit fill it.
"""

import re

from kataui.files import clean

_PREFIXES = (
    re.compile(r"(?:RUN )?(?:\|\d+ (?:[A-Za-z_]\w*=\S* )*)?/bin/(?:ba)?sh -c (?:#\(nop\) )?"),
    re.compile(r"(?:RUN )?#\(nop\) "),
)
_BUILDKIT = " # buildkit"
_CLASSIC_IN = re.compile(r"(?:file|dir|multi):[0-9a-f]{12,64} in ")
_CHAINS = re.compile(r"&&|;|\|\|")
_COPY = re.compile(r"(ADD|COPY) (?:--\S+ )*(.*\S) +(\S+)\Z")
_INSTALLERS = (
    (re.compile(r"(?:apt-get|apt|dnf|microdnf|yum|zypper) (?:-\S+ )*install (.*)"), "Packages"),
    (re.compile(r"apk (?:-\S+ )*add (.*)"), "Packages"),
    (re.compile(r"pip3? (?:-\S+ )*install (.*)"), "Python packages"),
    (re.compile(r"(?:npm|yarn|pnpm) (?:ci|install)\b(.*)"), "Node packages"),
)
_SHOWN_PACKAGES = 3
_ROOT_FS = re.compile(r"rootfs|\.tar(?:\.[gx]z|\.zst)?\b|^\Z")
_SCANNED = 4096


def clean_command(command: str) -> str:
    """The command as its Dockerfile said it, on one line, fit to show: ``COPY src/ /srv/app``."""
    text = " ".join(command[:_SCANNED].split()).removesuffix(_BUILDKIT)
    for prefix in _PREFIXES:
        match = prefix.match(text)
        if match:
            text = text[match.end() :]
            break
    return clean(_CLASSIC_IN.sub("", text).strip(), limit=_SCANNED)


def short_name(command: str, index: int) -> str:
    """What a layer is, in a few words for people: "Packages: ca-certificates, tzdata"."""
    text = clean_command(command)
    copied = _COPY.match(text)
    if copied or text.startswith(("ADD ", "COPY ")):
        return _copied_name(copied, text, index)
    for part in _CHAINS.split(text.removeprefix("RUN ")):
        for pattern, kind in _INSTALLERS:
            match = pattern.match(part.strip())
            if match:
                return _installed_name(kind, match.group(1))
    return clean(text, limit=60) or f"Layer {index}"


def _copied_name(copied: "re.Match[str] | None", text: str, index: int) -> str:
    source, target = copied.group(2, 3) if copied else ("", text.partition(" ")[2])
    if target == "/" and index == 0 and _ROOT_FS.search(source):
        return "Base files"
    return clean(f"Files in {target}", limit=60)


def _installed_name(kind: str, rest: str) -> str:
    names = [word for word in rest.split() if not word.startswith(("-", "$", "."))]
    if not names or "/" in names[0] or names[0].endswith(".txt"):
        return kind
    more = f" and {len(names) - _SHOWN_PACKAGES} more" if len(names) > _SHOWN_PACKAGES else ""
    return clean(f"{kind}: {', '.join(names[:_SHOWN_PACKAGES])}{more}", limit=60)
