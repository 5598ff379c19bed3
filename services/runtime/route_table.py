"""Serves the routes that FastAPI declares: an address is looked up, and its endpoint is called with the request.

FastAPI keeps what it is good at, the declarations and their document. What it does around a call (dependencies, bodies,
response models, a try of every route) is used by no endpoint here, and took a quarter of a request's processor time.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from services.runtime.problems import Problem


@dataclass(frozen=True)
class _Served:
    """An endpoint, and what it calls the request and the words of its address."""

    template: str
    endpoint: Callable[..., Awaitable[Response]]
    request: str | None
    words: tuple[str, ...]


Methods = dict[str, _Served]


class RouteTable:
    """An ASGI application; raises Problem with 404 or 405 where nothing is served.

    An endpoint takes the request and words of its address, which are text, and returns a response. One that wants more
    of FastAPI is refused with TypeError when the application is built.
    """

    def __init__(self, api: FastAPI) -> None:
        self._fixed: dict[str, Methods] = {}
        self._patterns: dict[re.Pattern[str], Methods] = {}
        for route in iter_route_contexts(api.routes):
            template, endpoint = str(route.path), route.endpoint
            pattern, _, words = compile_path(template)
            if endpoint is None or not route.methods:
                raise TypeError(f"{template} is no route of HTTP")
            served = _served(template, endpoint, set(words))
            methods = self._patterns.setdefault(pattern, {}) if words else self._fixed.setdefault(template, {})
            for method in route.methods:
                methods.setdefault(method, served)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        served, found = self._find(scope["path"], scope["method"])
        # What is counted and traced is the template, never the address.
        scope["route"] = served.template
        scope["path_params"] = found
        given: dict[str, Any] = {name: found[name] for name in served.words}
        if served.request is not None:
            given[served.request] = Request(scope, receive, send)
        response = await served.endpoint(**given)
        await response(scope, receive, send)

    def _find(self, path: str, method: str) -> tuple[_Served, Mapping[str, str]]:
        others: Methods = {}
        for methods, found in self._candidates(path):
            if served := methods.get(method):
                return served, found
            # Words of its own go before a word taken for an id.
            others = others or methods
        if others:
            allowed = {"Allow": ", ".join(sorted(others))}
            raise Problem(405, "method_not_allowed", "this address does not take this method", headers=allowed)
        raise Problem(404, "not_found", "there is nothing at this address")

    def _candidates(self, path: str) -> Iterator[tuple[Methods, Mapping[str, str]]]:
        if methods := self._fixed.get(path):
            yield methods, {}
        for pattern, methods in self._patterns.items():
            if found := pattern.fullmatch(path):
                yield methods, found.groupdict()


def _served(template: str, endpoint: Callable[..., Any], known: set[str]) -> _Served:
    parameters = inspect.signature(endpoint).parameters.values()
    words = tuple(one.name for one in parameters if one.name in known and one.annotation in (str, "str"))
    requests = [one.name for one in parameters if one.annotation in (Request, "Request")]
    if len(words) + len(requests) != len(parameters) or len(requests) > 1 or not inspect.iscoroutinefunction(endpoint):
        raise TypeError(f"the endpoint of {template} must be async and take the request and words of its address alone")
    return _Served(template, endpoint, requests[0] if requests else None, words)
