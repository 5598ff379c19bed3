"""Refuses requests for host names that are not ours, so that no link or cookie is ever made from a forged Host."""

from typing import Any

from services.runtime.problems import Problem, problem_response

PROBES = frozenset({"/healthz", "/readyz"})
"""Asked by the address of a container, whatever its name; they make no link and set no cookie."""


class HostGuard:
    """A layer of pure ASGI; `*` among the hosts allows all of them, for a gateway behind a proxy that checks."""

    def __init__(self, app: Any, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts
        self._any = "*" in hosts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not self._any and scope["path"] not in PROBES:
            host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
            if host not in self._hosts:
                problem = Problem(421, "host_not_allowed", "this host name is not served here; see SORAMI_ALLOW_HOSTS")
                await problem_response(problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)
