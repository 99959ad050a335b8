"""Asking a Prometheus server: bounded answers, checked shapes, no secrets in messages.

Source: the HTTP API of Prometheus, https://prometheus.io/docs/prometheus/latest/querying/api/.
"""

import base64
import http.client
import json
import math
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from kataui.errors import KatauiError
from kataui.files import MAX_JSON_BYTES, clean, parse_json_object, problem_text

_SILENCE_S = 10.0
_ANSWER_S = 60.0
_CHUNK_BYTES = 1 << 16


class PrometheusProblem(KatauiError):
    """A server did not answer, or not as Prometheus does."""


class TooMuch(PrometheusProblem):
    """An answer was too long to be read."""


@dataclass(frozen=True, slots=True)
class Series:
    """One time series: labels, and (time in s, value) pairs; values may be NaN or infinite."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...] = field(repr=False)

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.labels.get("__name__", "")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Names and passwords stay with the server that they are for."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


class Server:
    """A server by its URL, ``http[s]://[USER:PASSWORD@]HOST[:PORT][/PREFIX][?NAME=VALUE]``.

    What follows ``?`` is sent with every question. ``name`` is the URL without secrets. Raises
    ``KatauiError`` for an address that is none.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = None
        good = url.isascii() and url.isprintable() and " " not in url
        if not (good and host and parts.scheme in {"http", "https"}):
            # not quoted: it may hold a password in an odd place
            hint = "Write prometheus:http://HOST:9090."
            raise KatauiError("The address of the Prometheus server cannot be read.", hint=hint)
        place = f"[{host}]" if ":" in host else host
        self._base = f"{parts.scheme}://{place}{f':{port}' if port else ''}"
        self.name = clean(self._base + parts.path.rstrip("/"))
        self._base += parts.path.rstrip("/")
        self._always = parse_qsl(parts.query, keep_blank_values=True)
        self._headers = {"Accept": "application/json", "User-Agent": "kataui"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"

    def names(self, selector: str, begin_s: float, end_s: float) -> list[str]:
        """The names of metrics that match, in a range of time."""
        return self.values("__name__", selector, begin_s, end_s)

    def values(self, label: str, selector: str, begin_s: float, end_s: float) -> list[str]:
        """The values of a label, sorted. Raises ``PrometheusProblem``."""
        given = {"match[]": selector, "start": f"{begin_s:.3f}", "end": f"{end_s:.3f}"}
        data = self._ask(f"label/{label}/values", given)
        if not isinstance(data, list) or not all(isinstance(value, str) for value in data):
            raise self._nonsense()
        return sorted(data)

    def query(self, expression: str, at_s: float) -> list[Series]:
        """An instant query. Raises ``PrometheusProblem``."""
        data = self._ask("query", {"query": expression, "time": f"{at_s:.3f}"})
        return [
            self._series(row, [row.get("value")] if isinstance(row, dict) else None)
            for row in self._rows(data, "vector")
        ]

    def query_range(
        self, expression: str, begin_s: float, end_s: float, step_s: float
    ) -> list[Series]:
        """A range query. Raises ``PrometheusProblem``; ``TooMuch`` for more than 16 MiB."""
        given = {"query": expression, "step": f"{step_s:.3f}"}
        given |= {"start": f"{begin_s:.3f}", "end": f"{end_s:.3f}"}
        data = self._ask("query_range", given)
        return [
            self._series(row, row.get("values") if isinstance(row, dict) else None)
            for row in self._rows(data, "matrix")
        ]

    def _rows(self, data: Any, kind: str) -> Iterable[Any]:
        rows = data.get("result") if isinstance(data, dict) else None
        if not isinstance(data, dict) or data.get("resultType") != kind:
            raise self._nonsense()
        if not isinstance(rows, list):
            raise self._nonsense()
        return rows

    def _series(self, row: Any, points: Any) -> Series:
        labels = row.get("metric") if isinstance(row, dict) else None
        if not isinstance(labels, dict) or not isinstance(points, list):
            raise self._nonsense()
        if not all(isinstance(value, str) for value in labels.values()):
            raise self._nonsense()
        try:
            found = tuple((float(at_s), float(value)) for at_s, value in points)
        except (TypeError, ValueError, OverflowError) as error:
            raise self._nonsense() from error
        if not all(math.isfinite(at_s) for at_s, _ in found):
            raise self._nonsense()
        return Series(labels, found)

    def _ask(self, path: str, given: Mapping[str, str]) -> Any:
        """The field ``data`` of an answer."""
        form = urlencode([*self._always, *given.items()])
        request = urllib.request.Request(  # noqa: S310 - http or https, checked above
            f"{self._base}/api/v1/{path}?{form}", headers=self._headers
        )
        opener = urllib.request.build_opener(_NoRedirects)
        try:
            with opener.open(request, timeout=_SILENCE_S) as answer:
                data = self._bounded(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from None  # the cause holds the URL with its secrets
        except urllib.error.URLError as error:
            reason = error.reason
            said = problem_text(reason) if isinstance(reason, OSError) else str(reason)
            raise self._silent(said) from None
        except OSError as error:
            raise self._silent(problem_text(error)) from None
        except http.client.HTTPException:
            raise self._nonsense() from None
        try:
            value = parse_json_object(data, what="answer")
        except KatauiError as error:
            raise self._nonsense() from error
        if value.get("status") != "success":
            raise self._nonsense()
        return value.get("data")

    def _bounded(self, answer: http.client.HTTPResponse) -> bytes:
        """The whole answer, within a size and a time."""
        end_s = time.monotonic() + _ANSWER_S
        parts, size = [], 0
        while data := answer.read1(_CHUNK_BYTES):
            parts.append(data)
            size += len(data)
            if size > MAX_JSON_BYTES:
                message = f"The answer of {self.name} is too long."
                raise TooMuch(message, hint="Ask for less time, or with a longer step.")
            if time.monotonic() > end_s:
                raise self._silent("its answer takes too long")
        return b"".join(parts)

    def _refusal(self, error: urllib.error.HTTPError) -> PrometheusProblem:
        if error.code in {401, 403}:
            hint = "Write the name and the password into the address: https://NAME:PASSWORD@HOST"
            return PrometheusProblem(f"{self.name} refused us (status {error.code}).", hint=hint)
        if 300 <= error.code < 400:
            hint = "Give the address to which it leads."
            return PrometheusProblem(
                f"{self.name} sends us elsewhere, which is refused.", hint=hint
            )
        try:
            said = json.loads(error.read(_CHUNK_BYTES))["error"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            said = "no reason given"
        reason = clean(str(said), limit=200)
        return PrometheusProblem(f"{self.name} answers with status {error.code} ({reason}).")

    def _silent(self, said: str) -> PrometheusProblem:
        message = f"{self.name} does not answer ({clean(said, limit=120)})."
        return PrometheusProblem(message, hint="Check the address and that the server runs.")

    def _nonsense(self) -> PrometheusProblem:
        message = f"{self.name} answers, but not as a Prometheus server does."
        return PrometheusProblem(message, hint="Check the address, its port and its path.")


def quoted(text: str) -> str:
    """A string of PromQL; its escapes are those of Go, which holds JSON's."""
    return json.dumps(text)
