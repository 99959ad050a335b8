"""The key broker's HTTP interface, for an admin: a resource, or the rule about all of them.

Source: confidential-containers/trustee, kbs/docs/kbs.yaml (paths) and tools/kbs-client/src/lib.rs
(``set_resource``: the raw bytes; ``set_resource_policy``: ``{"policy": TEXT}``, base64url without
padding; both answer 200). This module uses the network itself, only when ``send`` is called.
"""

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kataui.errors import KatauiError, KeyProblem
from kataui.files import clean, problem_text, read_bounded
from kataui.images.registry import is_loopback

_MAX_BYTES = 1 << 20
_TIMEOUT_S = 60.0
_OK = 200


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker and who may change it; the token stays in its file."""

    url: str
    token_file: str
    certificate: str = ""

    @property
    def host(self) -> str:
        """Its host and port, to be told."""
        return urllib.parse.urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class Upload:
    """A file for a place in the broker: ``REPOSITORY/TYPE/TAG``, or "" for the rule."""

    broker: Broker
    file: Path
    place: str

    @property
    def url(self) -> str:
        """Where it is sent."""
        end = f"resource/{urllib.parse.quote(self.place)}" if self.place else "resource-policy"
        return f"{self.broker.url}/kbs/v0/{end}"


def parse_broker(url: str, token_file: str, certificate: str = "", *, insecure: bool) -> Broker:
    """A broker from what was typed.

    Raises ``KatauiError`` for what is no address, and when keys would travel readable: without
    TLS only to this machine, or with ``insecure``.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host = f"{parts.hostname or ''}:{parts.port or ''}".rstrip(":")
    except ValueError as error:
        raise KatauiError(f"{clean(url, limit=90)!r} is no address of a broker.") from error
    plain = all(31 < ord(char) < 127 for char in url) and " " not in url
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise KatauiError(
            f"{clean(url, limit=90)!r} is no address of a broker.",
            hint="Write https://kbs.example.org:8080.",
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise KatauiError("The broker's address must not have a name, a password or a query.")
    if parts.scheme == "http" and not (insecure or is_loopback(host.replace("::1", "[::1]"))):
        raise KatauiError(
            "Keys would be readable on their way: this broker is asked without TLS.",
            hint="Give an address with https://, or allow it with --insecure.",
        )
    if not token_file:
        raise KatauiError("The broker needs its admin's token.", hint="Use --admin-token-file F.")
    return Broker(url.rstrip("/"), token_file, certificate)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Neither the token nor a key follows a broker's wish to go elsewhere."""

    def redirect_request(self, *_arguments: Any, **_more: Any) -> None:
        """Never."""


def send(upload: Upload) -> None:
    """Send one file. Raises ``KatauiError`` with the broker's answer when it is not 200.

    Token and content are in the request alone: never in a log, an argument or an error.
    """
    data = read_bounded(upload.file, limit_bytes=_MAX_BYTES, what="a resource")
    kind = "application/octet-stream"
    if not upload.place:
        policy = base64.urlsafe_b64encode(data).decode().rstrip("=")
        data, kind = json.dumps({"policy": policy}).encode(), "application/json"
    headers = {"Content-Type": kind, "Authorization": f"Bearer {_token(upload.broker.token_file)}"}
    request = urllib.request.Request(  # noqa: S310 - http and https only, see parse_broker
        upload.url, data=data, headers=headers, method="POST"
    )
    try:
        with _opener(upload.broker).open(request, timeout=_TIMEOUT_S) as answer:
            status, reason = answer.status, answer.reason
    except urllib.error.HTTPError as error:
        with error:
            status, reason = error.code, error.reason
    except urllib.error.URLError as error:
        inner = error.reason
        told = problem_text(inner) if isinstance(inner, OSError) else str(inner)
        raise KatauiError(f"The broker cannot be reached: {clean(told)}.") from None
    except (OSError, http.client.HTTPException) as error:
        raise KatauiError(f"The broker does not answer: {clean(str(error))}.") from None
    if status != _OK:
        raise KatauiError(f"The broker answered {status} {clean(str(reason), limit=80)}.")


def _token(path: str) -> str:
    data = read_bounded(Path(path), limit_bytes=16 << 10, what="the admin's token")
    text = data.decode("latin-1").strip()
    if not text or not text.isascii() or not text.isprintable():
        raise KeyProblem(f"{clean(path)} holds no token.", hint="It is one line of text.")
    return text


def _opener(broker: Broker) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    try:
        context = ssl.create_default_context(cafile=broker.certificate or None)
    except OSError as error:
        raise KatauiError(f"{clean(broker.certificate)} is no certificate.") from error
    handlers.append(urllib.request.HTTPSHandler(context=context))
    if is_loopback(broker.host):
        handlers.append(urllib.request.ProxyHandler({}))  # a proxy is another machine
    return urllib.request.build_opener(*handlers)
