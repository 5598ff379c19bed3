"""Tiny processes in place of services and commands, for tests of the supervisor alone."""

import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from sorami.local.services import Commands, Service

ECHO = Service("echo", "tests.support.standins:echo", "ECHO_PORT", stage="database", needs_broker=False)
COMMANDS = Commands(migrate=None, topics=None)


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{os.getpid()} {os.environ.get('WHO', '')}".encode())

    def log_message(self, format: str, *args: object) -> None:
        print(format % args, flush=True)


def echo() -> int:
    """Answers /readyz until SIGTERM."""
    if os.environ.get("WITH_CHILD"):
        print("child", subprocess.Popen(["sleep", "60"]).pid, flush=True)
    server = HTTPServer(("127.0.0.1", int(os.environ["ECHO_PORT"])), _Ready)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever(poll_interval=0.05)
    return 0


def wrong_setting() -> int:
    print("DATABASE_URL is not an address", flush=True)
    return 78


def refuse(_arguments: list[str]) -> int:
    """A command that fails."""
    print("no thanks", flush=True)
    return 3
