"""As much of Flask as the seeds' backend uses, so that its code runs as it stands where Flask is not installed."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_local = threading.local()


class _Request:
    @property
    def json(self) -> Any:
        return _local.body


request = _Request()


def jsonify(value: Any) -> Any:
    return value


class Flask:
    def __init__(self, name: str) -> None:
        self.name = name
        self._routes: dict[tuple[str, str], Any] = {}

    def route(self, path: str, methods: list[str]) -> Any:
        def keep(view: Any) -> Any:
            self._routes |= {(method, path): view for method in methods}
            return view

        return keep

    def run(self, host: str = "127.0.0.1", port: int = 5000) -> None:
        routes = self._routes

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                _local.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                view = routes.get(("POST", self.path))
                answer, status = (view(), 200) if view else ({"error": "not found"}, 404)
                raw = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        ThreadingHTTPServer((host, port), Handler).serve_forever()
