"""The printed side of a backup: one page for the backup, and a card for each share.

HTML without scripts, nothing loaded from anywhere; QR codes (ISO/IEC 18004) are drawn as SVG.
What ``keyrestore`` reads again stands in one ``<pre class="kataui">``.
"""

import html
import io
import re

import segno

from kataui.files import clean
from kataui.images.keylines import to_codes, to_lines
from kataui.images.keymaking import Fingerprint
from kataui.images.keysealed import Header

_KINDS = {
    "key": "Opens images that were encrypted for it (JWE, PKCS7).",
    "kbs": "Opens images for confidential guests; a key broker holds it, 32 bytes.",
    "cosign": "Signs images. It is locked by a passphrase of its own, which is not in the backup.",
}
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}
th{text-align:left;vertical-align:top;padding:.2rem 1.5rem .2rem 0;white-space:nowrap}
td{padding:.2rem 0;overflow-wrap:anywhere}
pre{font:13px/1.7 monospace;white-space:pre-wrap;overflow-wrap:anywhere}
figure{display:inline-block;margin:0 2rem 1.5rem 0;text-align:center;break-inside:avoid}
svg{display:block;width:9cm;height:9cm}.small svg{width:6cm;height:6cm}
h2{break-after:avoid}"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>{style}</style></head><body data-key="{fingerprint}">
<h1>{title}</h1>
<p>{about}</p>
<table>{facts}</table>
{body}</body></html>
"""


def backup_page(header: Header, raw: bytes, name: str) -> bytes:
    """The page with the encrypted backup as QR codes and as lines; ``name`` is the file's."""
    lines = to_lines(raw)
    codes = to_codes(lines)
    figures = "".join(
        f"<figure>{_code(text)}<figcaption>Code {number} of {len(codes)}</figcaption></figure>\n"
        for number, text in enumerate(codes, 1)
    )
    opens = "its passphrase" if not header.split else f"its passphrase or {_needed(header)}"
    body = f"""<h2>How to restore it</h2>
<ol><li>With the file: <code>kataui key restore {_esc(name)} --out NAME.key</code></li>
<li>Without it: scan all {len(codes)} codes, or type the lines below, into one text file, in any
order, and give that file instead. A wrong line is named.</li>
<li>Rehearse it now: <code>kataui key drill {_esc(name)}</code></li></ol>
<h2>Codes</h2>
{figures}
<h2>Lines</h2>
<p>The letters are A to Z and 2 to 7. Blanks do not count. After the stroke stands a checksum.</p>
<pre class="kataui">
{chr(10).join(lines)}
</pre>
"""
    about = f"The key on this page is encrypted: {opens} opens it. Neither is written here."
    return _page("Backup of a key", header, about, [("Lines", str(len(lines)))], body)


def share_card(header: Header, words: tuple[str, ...], number: int, *, file_name: str) -> bytes:
    """One share's card; ``file_name`` is the backup file that the shares open, if one is needed."""
    needed, _, count = header.split.partition("/")
    numbered = [f"{place:>2} {word:<10}" for place, word in enumerate(words, 1)]
    rows = [" ".join(numbered[at : at + 4]).rstrip() for at in range(0, len(numbered), 4)]
    if file_name:
        holds = f"Together with the backup file {_esc(file_name)} they restore the key."
        sources = f"{_esc(file_name)} SHARE ..."
    else:
        holds = "They restore the key by themselves; no file is needed."
        sources = "SHARE ..."
    body = f"""<h2>Words</h2>
<pre class="kataui">
{chr(10).join(rows)}
</pre>
<figure class="small">{_code(" ".join(words).upper())}
<figcaption>The same words</figcaption></figure>
<h2>How to restore the key</h2>
<p>Bring {needed} cards together, as these files or typed into text files, one share each:
<code>kataui key restore {sources} --out NAME.key</code></p>
"""
    about = (
        f"Any {needed} of {count} shares restore the key; {int(needed) - 1} tell nothing about it. "
        f"{holds} Keep each share in another place."
    )
    return _page(f"Share {number} of {count}", header, about, [], body)


def read_page(text: str) -> tuple[str, str] | None:
    """The words or lines of a page or card, and the key's fingerprint; ``None`` for other text."""
    found = re.search(r'<pre class="kataui">(.*?)</pre>', text, re.DOTALL)
    if found is None:
        return None
    key = re.search(r'<body data-key="([0-9a-f]{64})">', text)
    return html.unescape(found[1]), key[1] if key else ""


def _page(title: str, header: Header, about: str, more: list[tuple[str, str]], body: str) -> bytes:
    mark = Fingerprint(header.fingerprint) if header.fingerprint else None
    rows = [
        ("Key, in words", mark.words if mark else "not known while it is locked"),
        ("SHA-256", mark.hex if mark else ""),
        ("Kind", f"{header.kind}, {header.algorithm}"),
        ("What for", _KINDS.get(header.kind, "")),
        ("Made", header.made),
        ("Backup", header.id),
        *more,
    ]
    facts = "".join(f"<tr><th>{_esc(k)}</th><td>{_esc(v)}</td></tr>\n" for k, v in rows if v)
    fingerprint = mark.hex if mark else ""
    return _PAGE.format(
        title=title, style=_STYLE, fingerprint=fingerprint, about=about, facts=facts, body=body
    ).encode()


def _needed(header: Header) -> str:
    needed, _, count = header.split.partition("/")
    return f"{needed} of its {count} shares"


def _code(text: str) -> str:
    """A QR code as SVG, sized by the page's style."""
    out = io.BytesIO()
    code = segno.make_qr(text, error="m", boost_error=False)
    code.save(out, kind="svg", xmldecl=False, svgns=False, omitsize=True, nl=False)
    return out.getvalue().decode("ascii")


def _esc(text: str) -> str:
    return html.escape(clean(text, limit=300))
