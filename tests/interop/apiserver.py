"""The few answers of a Kubernetes API server that kubectl asks for, on loopback.

It keeps objects, refuses those in a namespace that is not there and containers without an image,
and keeps nothing of a dry run. Source: Kubernetes API reference; RFC 7386 for what apply merges.
"""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_KINDS = {
    "/api/v1": {"namespaces": ("Namespace", False), "configmaps": ("ConfigMap", True)}
    | {"pods": ("Pod", True)},
    "/apis/node.k8s.io/v1": {"runtimeclasses": ("RuntimeClass", False)},
    "/apis/batch/v1": {"jobs": ("Job", True)},
    "/apis/apps/v1": {"deployments": ("Deployment", True)},
    "/apis/apiextensions.k8s.io/v1": {
        "customresourcedefinitions": ("CustomResourceDefinition", False)
    },
}
_PATH = re.compile(
    r"(?P<group>/api/v1|/apis/[^/]+/[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?"
)


def _openapi(group: str) -> dict[str, Any]:
    """Which groups there are; or that one checks fields itself, so that kubectl does not."""
    if not group:
        there = {name[1:]: {"serverRelativeURL": f"/openapi/v3{name}"} for name in _KINDS}
        return {"paths": there}
    name, _, version = group.removeprefix("/apis/").removeprefix("/api/").rpartition("/")
    parameters = [{"name": name, "in": "query"} for name in ("fieldValidation", "dryRun")]
    paths = {
        f"{group}/{plural}/{{name}}": {
            "patch": {
                "parameters": parameters,
                "x-kubernetes-group-version-kind": {"group": name, "version": version}
                | {"kind": kind},
                "responses": {},
            }
        }
        for plural, (kind, _) in _KINDS[group].items()
    }
    return {"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "paths": paths}


class ApiServer:
    """``url`` is where it listens; ``objects`` by their path; ``written`` are the paths."""

    def __init__(self, classes: dict[str, str]) -> None:
        self.objects: dict[str, dict[str, Any]] = {
            f"/apis/node.k8s.io/v1/runtimeclasses/{name}": {
                "apiVersion": "node.k8s.io/v1",
                "kind": "RuntimeClass",
                "metadata": {"name": name},
                "handler": handler,
            }
            for name, handler in classes.items()
        }
        self.objects["/api/v1/namespaces/default"] = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "default"},
        }
        self.written: list[str] = []
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    api: ApiServer

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        fixed = self._fixed(path)
        match = _PATH.fullmatch(path)
        if fixed is not None:
            self._answer(200, fixed)
        elif match and not match["name"]:
            kind = _KINDS[match["group"]][match["plural"]][0]
            version = match["group"].removeprefix("/apis/").removeprefix("/api/")
            found = [o for place, o in self.api.objects.items() if place.startswith(f"{path}/")]
            self._answer(200, {"kind": f"{kind}List", "apiVersion": version, "items": found})
        elif path in self.api.objects:
            self._answer(200, self.api.objects[path])
        else:
            self._refuse(404, "NotFound", f"{path} not found")

    @staticmethod
    def _fixed(path: str) -> dict[str, Any] | None:
        if path == "/version":
            return {"major": "1", "minor": "34", "gitVersion": "v1.34.1"}
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            names = [group.split("/")[2:] for group in _KINDS if group.startswith("/apis/")]
            groups = [
                {
                    "name": name,
                    "versions": [{"groupVersion": f"{name}/{version}", "version": version}],
                    "preferredVersion": {"groupVersion": f"{name}/{version}", "version": version},
                }
                for name, version in names
            ]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        if path.startswith("/openapi/v3"):
            return _openapi(path.removeprefix("/openapi/v3"))
        if path in _KINDS:
            verbs = ["get", "list", "create", "patch"]
            resources = [
                {"name": name, "singularName": "", "namespaced": inside, "kind": kind}
                | {"verbs": verbs}
                for name, (kind, inside) in _KINDS[path].items()
            ]
            version = path.removeprefix("/apis/").removeprefix("/api/")
            return {"kind": "APIResourceList", "groupVersion": version, "resources": resources}
        return None

    def do_PATCH(self) -> None:
        body = self._body()
        path = urlsplit(self.path).path
        self._keep(path, {**self.api.objects.get(path, {}), **body}, 200)

    def do_POST(self) -> None:
        body = self._body()
        metadata = body.setdefault("metadata", {})
        metadata.setdefault("name", f"{metadata.get('generateName', '')}x7k2p")
        self._keep(f"{urlsplit(self.path).path}/{metadata['name']}", body, 201)

    def _body(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return value

    def _keep(self, path: str, value: dict[str, Any], status: int) -> None:
        match = _PATH.fullmatch(path)
        namespace = match["namespace"] if match else None
        if namespace and f"/api/v1/namespaces/{namespace}" not in self.api.objects:
            self._refuse(404, "NotFound", f'namespaces "{namespace}" not found')
            return
        spec = value.get("spec", {})
        pod = spec.get("template", {}).get("spec", spec)
        if any("image" not in one for one in pod.get("containers", ())):
            self._refuse(422, "Invalid", "spec.containers[0].image: Required value")
            return
        if "dryRun" not in parse_qs(urlsplit(self.path).query):
            self.api.objects[path] = value
            self.api.written.append(path)
        self._answer(status, value)

    def _refuse(self, status: int, reason: str, message: str) -> None:
        told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}
        self._answer(status, told | {"reason": reason, "message": message})

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
