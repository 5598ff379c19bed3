"""Errors over HTTP: RFC 9457 problem documents with a stable code; no input, no SQL and no stack is ever echoed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

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


def _problem_of(error: Exception, path: str) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, Overloaded):
        return Problem(503, "overloaded", "too much is waiting; try again in a moment", headers={"Retry-After": "1"})
    if is_transient(error):
        _log.warning("the database or the object store is away", path=path, error=type(error).__name__)
        return _unavailable()
    _log.error("a request failed", path=path, error=type(error).__name__, exc_info=error)
    return Problem(500, "internal", "something went wrong on our side; it was logged")


class ProblemDocuments:
    """A layer of pure ASGI: every error is answered as a problem document; what nobody foresaw is logged once."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started = False

        async def watch(message: Any) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if started:
                raise
            await problem_response(_problem_of(error, scope["path"]))(scope, receive, send)
