"""How a request for jobs is read and answered: idempotency key, preference to wait, limits."""

import re
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from starlette.requests import Request

from contracts.abilities import ModelCannot
from contracts.faults import RequestRefused
from contracts.messages import choose_language
from contracts.models import ModelRetired, ModelUnknown
from services.gateway.parts import Parts
from services.gateway.usecases.await_jobs import LONGEST_WAIT
from services.gateway.usecases.limits import WINDOW_SECONDS, LimitReached, Remaining
from services.gateway.usecases.new_jobs import Asking, KeyReused
from services.gateway.usecases.request_generation import JobIdTaken, ParentUnknown
from services.gateway.usecases.resolve_subject import SubjectUnknown, resolve_subject
from services.runtime.bodies import refused
from services.runtime.identity import Caller
from services.runtime.problems import Problem
from services.runtime.tracing import trace_of

T = TypeVar("T")

LONGEST_KEY = 255
_KEY = re.compile(rf"[\x21-\x7e](?:[\x20-\x7e]{{0,{LONGEST_KEY - 2}}}[\x21-\x7e])?")
_WAIT = re.compile(r"\s*wait\s*=\s*\"?([0-9]{1,9})\"?\s*", re.IGNORECASE)

KEY_PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and body within 24 hours get the first answer again, with `Idempotency-Replayed`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}
PREFER_PARAMETER: dict[str, Any] = {
    "name": "Prefer",
    "in": "header",
    "description": f"`wait=N` answers with the result if the job ends within N seconds (at most {LONGEST_WAIT}).",
    "schema": {"type": "string"},
    "example": "wait=10",
}
WAIT_PARAMETER: dict[str, Any] = {
    "name": "wait",
    "in": "query",
    "description": "Answer as soon as the job has ended, and after this many seconds at the latest.",
    "schema": {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT},
}


def read_key(request: Request) -> str | None:
    """Read the idempotency key; raises a 400 problem for one that cannot be a key."""
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or _KEY.fullmatch(given[0]) is None:
        raise Problem(
            400,
            "idempotency_key_invalid",
            f"Idempotency-Key must be one value of 1 to {LONGEST_KEY} printable ASCII characters",
        )
    return given[0]


def preferred_wait(request: Request) -> int | None:
    """Read `Prefer: wait=N` in seconds; a preference that is not understood is none, as RFC 7240 says."""
    for header in request.headers.getlist("prefer"):
        for preference in header.split(","):
            match = _WAIT.fullmatch(preference.partition(";")[0])
            if match is not None:
                return min(int(match[1]), LONGEST_WAIT)
    return None


def read_wait(request: Request) -> int:
    """Read `?wait=N` in seconds; raises a 422 problem when it is out of range."""
    text = request.query_params.get("wait", "0")
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= LONGEST_WAIT):
        raise Problem(422, "wait_out_of_range", f"wait must be a whole number of seconds between 0 and {LONGEST_WAIT}")
    return int(text)


def asking_of(request: Request, caller: Caller) -> Asking:
    """Read who asks and how; raises a 400 problem for a bad idempotency key."""
    return Asking(
        caller,
        language=choose_language(request.headers.get("accept-language")),
        traceparent=trace_of(request),
        key=read_key(request),
    )


async def acting_for(parts: Parts, caller: Caller, user_id: str | None) -> Caller:
    """Return for whom the caller asks; raises a 422 problem when it names nobody."""
    try:
        return await resolve_subject(parts.pool, caller, user_id)
    except SubjectUnknown:
        raise Problem(422, "user_id_unknown", "user_id names nobody here; leave it out to act for yourself") from None


async def answered(accepting: Awaitable[T]) -> T:
    """Await a use case that makes jobs, and turn what it refuses into problems."""
    try:
        return await accepting
    except RequestRefused as error:
        raise refused(error.faults) from None
    except ModelUnknown as error:
        raise Problem(422, "model_unknown", str(error), models=error.known) from None
    except ModelRetired as error:
        raise Problem(422, "model_retired", str(error), successor=error.successor) from None
    except ModelCannot as error:
        raise _impossible(error) from None
    except ParentUnknown:
        raise Problem(422, "parent_unknown", "parent_id names no generation of yours") from None
    except JobIdTaken:
        raise Problem(409, "job_id_taken", "this job_id is taken; choose another or leave it out") from None
    except KeyReused:
        raise Problem(
            422, "idempotency_key_reused", "this Idempotency-Key stands for another request; choose another"
        ) from None
    except LimitReached as error:
        headers = limit_headers(error.remaining) | {"Retry-After": str(error.retry_after)}
        code = "quota_exceeded" if error.code == "quota_exceeded" else "rate_limited"
        raise Problem(429, code, error.detail, headers=headers) from None


def _impossible(error: ModelCannot) -> Problem:
    errors = [{"field": fault.field, "code": fault.code, "detail": fault.detail} for fault in error.faults]
    return Problem(
        422,
        "model_cannot",
        str(error),
        field=error.faults[0].field,
        errors=errors,
        model=error.model,
        models=error.others,
    )


def limit_headers(left: Sequence[Remaining]) -> dict[str, str]:
    """Return RateLimit and RateLimit-Policy as draft-ietf-httpapi-ratelimit-headers has them."""
    if not left:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{one.policy}";q={one.most};w={WINDOW_SECONDS}' for one in left),
        "RateLimit": ", ".join(f'"{one.policy}";r={one.left};t={one.resets_in}' for one in left),
    }
