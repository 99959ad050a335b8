"""A key broker on this machine that writes down what it is asked, for the time of a test."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    """One request."""

    path: str
    kind: str
    bearer: str
    body: bytes


@dataclass
class Served:
    """The address, what was asked, and what is answered."""

    url: str = ""
    status: int = 200
    location: str = ""
    asked: list[Asked] = field(default_factory=list)


@contextlib.contextmanager
def serve() -> Iterator[Served]:
    """The admin's part of trustee's interface; it keeps nothing."""
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            kind, bearer = self.headers["Content-Type"], self.headers["Authorization"]
            served.asked.append(Asked(self.path, kind, bearer, body))
            self.send_response(served.status)
            if served.location:
                self.send_header("Location", served.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
