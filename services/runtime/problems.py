"""Errors over HTTP: RFC 9457 problem documents with a stable code; no input, no SQL and no stack is ever echoed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.runtime.database import is_transient
from services.runtime.group_commit import Overloaded
from services.runtime.logs import get_logger

_log = get_logger(part="http")

_TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    408: "Timed out",
    410: "Gone",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not valid",
    429: "Too many requests",
    500: "Internal error",
    503: "Not available now",
}


class Problem(Exception):
    """An answer other than success; `code` is stable, `detail` says what is wrong and what to do."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.extra = extra

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": _TITLES.get(self.status, "Error"),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = self.errors
        return body | self.extra


def not_authenticated(code: str, detail: str) -> Problem:
    """Build the 401 of the seeds, which their clients read in `error`."""
    return Problem(401, code, detail, headers={"WWW-Authenticate": "Bearer"}, error="Non authentifié")


def problem_response(problem: Problem) -> Response:
    return Response(
        json.dumps(problem.body()),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=problem.headers,
    )


def _unavailable() -> Problem:
    return Problem(
        503,
        "storage_unavailable",
        "what this needs is not available; try again in a moment",
        headers={"Retry-After": "2"},
    )


async def _on_problem(_: Request, error: Exception) -> Response:
    return problem_response(cast(Problem, error))


def _allowed_methods(request: Request, named: str) -> str:
    """Return every method of this address; the framework names those of the first route that matches it."""
    document = getattr(request.scope["app"], "openapi", None)
    asked = request.url.path.split("/")
    found: list[tuple[int, str]] = []
    for template, operations in (document()["paths"] if document else {}).items():
        parts = template.split("/")
        if len(parts) == len(asked) and all(p == a or p.startswith("{") for p, a in zip(parts, asked, strict=True)):
            # Words of its own go before a word taken for an id, as they do among the routes.
            found.append((template.count("{"), ", ".join(sorted(method.upper() for method in operations))))
    return min(found)[1] if found else named


async def _on_http(request: Request, raised: Exception) -> Response:
    error = cast(HTTPException, raised)
    codes = {404: "not_found", 405: "method_not_allowed"}
    details = {404: "there is nothing at this address", 405: "this address does not take this method"}
    code = codes.get(error.status_code, "http_error")
    detail = details.get(error.status_code, "the request was refused")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = _allowed_methods(request, headers.get("Allow", ""))
    return problem_response(Problem(error.status_code, code, detail, headers=headers))


async def _on_overload(_: Request, __: Exception) -> Response:
    return problem_response(
        Problem(503, "overloaded", "too much is waiting; try again in a moment", headers={"Retry-After": "1"})
    )


async def _on_anything(request: Request, error: Exception) -> Response:
    if is_transient(error):
        _log.warning("the database or the object store is away", path=request.url.path, error=type(error).__name__)
        return problem_response(_unavailable())
    _log.error("a request failed", path=request.url.path, error=type(error).__name__, exc_info=error)
    return problem_response(Problem(500, "internal", "something went wrong on our side; it was logged"))


class CatchEverything:
    """A layer of pure ASGI: whatever was not foreseen is logged once and answered as a problem."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started = False

        async def watch(message: Any) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            response = await _on_anything(Request(scope), error)
            await response(scope, receive, send)


def install_problem_handlers(app: Starlette) -> None:
    """Make an application answer every error as a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Overloaded, _on_overload)
    app.add_middleware(CatchEverything)
