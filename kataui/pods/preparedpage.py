"""The page that goes with a prepared pod: what it is, and what to do with it. No scripts."""

import html
from typing import TYPE_CHECKING

from kataui.files import clean
from kataui.pods.preparedfiles import MEASUREMENT, RULE
from kataui.pods.referencevalues import CHANGES_IT, NOT_IN_IT, ReferenceValues

if TYPE_CHECKING:
    from kataui.pods.prepare import Prepared

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A prepared pod</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
th{{text-align:left;vertical-align:top;padding:.3rem 1.5rem .3rem 0}}
td{{padding:.3rem 1.5rem .3rem 0;vertical-align:top;overflow-wrap:anywhere}}
pre{{white-space:pre-wrap;overflow-wrap:anywhere}}</style></head>
<body><h1>A prepared pod</h1>
<p>Every image of this pod is encrypted and signed; <code>manifest.yaml</code> names each by its
digest and asks for the class <code>{runtime_class}</code>.</p>
<h2>Images</h2><table><tr><th>In the manifest it was</th><th>It is now</th><th>Proof</th></tr>
{images}</table>
{findings}
{reference}
<h2>What to do</h2><ol>
<li>Push each folder of <code>images/</code> with the commands in its receipt
(<code>receipts/</code>); they keep the digests.</li>
<li>Put the keys into the key broker: <code>keys/upload.sh</code>, or for the Trustee operator
<code>keys/trustee-secrets.yaml</code>. What is in <code>keys/</code> is secret; everything else may
be shown.</li>
<li>Set the broker's rule. The hardware reports the digest of <code>initdata.toml</code>; with this
rule (<code>kbs-policy.rego</code>) the key is released for this initdata only. Without such a rule
a host could start a guest of its own making and get the key.<pre>{rule}</pre></li>
<li>Apply <code>manifest.yaml</code>. Change nothing in <code>initdata.toml</code>, not even a
blank: its digest is over its bytes.</li>
<li>Hold what runs against the lock at any time:
<pre>kubectl get pod NAME -o yaml &gt; live.yaml
kataui pod compare podlock.json live.yaml --public-key cosign.pub</pre></li></ol>
<p><code>policy.json</code> makes skopeo, podman and CRI-O refuse every other image;
<code>image-security-policy.json</code> does the same within the guest and is part of the
initdata.</p></body></html>
"""

_REFERENCE = """<h2>Reference values</h2>
<p>A guest that was started with exactly this reports the launch digest below; the verifier compares
it with its reference value <code>{name}</code>.</p>
<pre>{measurement}</pre>
<table>{facts}</table>
<p>It does not cover {not_in_it}. {changes_it}</p>
<p><code>keys/upload.sh</code> gives it to the verifier through the broker;
<code>rvps-message.json</code> is the same for the RVPS itself. Either replaces all launch digests
that are there: pods that start otherwise need theirs in the same list. The verifier also asks for
the versions of the host's firmware (<code>snp_bootloader</code>, <code>snp_microcode</code>,
<code>snp_snp_svn</code>, <code>snp_tee_svn</code>); on the host, <code>snphost show tcb</code>
tells them.</p>"""


def page(made: "Prepared", runtime_class: str) -> str:
    """The page as HTML; every text from outside is escaped."""
    rows = "".join(
        f"<tr><td>{_esc(one.asked)}</td><td>{_esc(one.pin)}</td>"
        f"<td>{_esc(one.verdict.value)}: {_esc(one.sentence)}</td></tr>\n"
        for one in made.images
    )
    open_ = "".join(f"<li>{_esc(one.message)} {_esc(one.fix)}</li>\n" for one in made.findings)
    return _PAGE.format(
        runtime_class=_esc(runtime_class),
        images=rows,
        findings=f"<h2>What is still open</h2><ul>{open_}</ul>" if open_ else "",
        reference=_reference(made.reference) if made.reference else "",
        rule=_esc_lines(RULE.format(digest=made.digest)),
    )


def _reference(values: ReferenceValues) -> str:
    return _REFERENCE.format(
        name=MEASUREMENT,
        measurement=values.measurement,
        facts="".join(
            f"<tr><th>{_esc(name)}</th><td>{_esc(value)}</td></tr>\n"
            for name, value in values.facts()
        ),
        not_in_it=_esc("; ".join(NOT_IN_IT)),
        changes_it=_esc(CHANGES_IT),
    )


def _esc(text: str) -> str:
    return html.escape(clean(text, limit=2000))


def _esc_lines(text: str) -> str:
    return "\n".join(_esc(line) for line in text.splitlines())
