"""Many jobs in one request: either each is spelt out, or one is varied by prompt and by seed."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.faults import Fault, RequestRefused, faults_of
from contracts.kinds import KINDS, Kind
from contracts.requests import Wanted, read_request

MOST_JOBS = 100
SEEDS = 2**32
_OWN_FIELDS = ("kind", "requests", "prompt", "prompts", "variations")


class BatchRequest(BaseModel):
    """Up to 100 jobs: `requests`, or `prompt`/`prompts` and `variations` beside the fields of one request."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    kind: str | None = Field(
        default=None,
        description="The kind of every job that names none of its own.",
        json_schema_extra={"enum": [*KINDS, None]},
    )
    requests: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_JOBS)] | None = Field(
        default=None,
        description="One object a job: the fields of its kind's request, and `kind` where kinds are mixed.",
    )
    prompt: str | None = Field(default=None, description="One prompt for every variation.")
    prompts: Annotated[list[str], Field(min_length=1, max_length=MOST_JOBS)] | None = Field(
        default=None, description="Several prompts; each gets all variations."
    )
    variations: Annotated[int, Field(ge=1, le=MOST_JOBS)] | None = Field(
        default=None, description="How many jobs a prompt gets, each with a seed of its own."
    )


@dataclass(frozen=True, slots=True)
class WantedBatch:
    """A valid batch: its jobs in order, and what it was asked with."""

    jobs: Sequence[Wanted]
    asked: str
    listed: bool = False

    def place(self, number: int) -> str:
        """Return where the fields of a job stand in the request: a prefix of their names."""
        return f"requests.{number}." if self.listed else ""

    def digest(self) -> str:
        """Hash what was asked; seeds that were drawn for variations are no part of it."""
        return hashlib.sha256(self.asked.encode()).hexdigest()


def read_batch(body: Mapping[str, Any]) -> WantedBatch:
    """Validate a batch; raises RequestRefused with every fault, each with the place of its request."""
    try:
        batch = BatchRequest.model_validate(body)
    except ValidationError as error:
        raise RequestRefused(faults_of(error, "a batch", _bounds)) from None
    jobs = _listed(batch) if batch.requests is not None else _varied(batch)
    _refuse_repeated_ids(jobs)
    if len({job.user_id for job in jobs}) > 1:
        raise _refuse("user_id", "user_ids_differ", "a batch has one owner; name the same user_id in each request")
    return WantedBatch(jobs, json.dumps(body, sort_keys=True), listed=batch.requests is not None)


def _bounds(field: str) -> str | None:
    return f"between 1 and {MOST_JOBS}" if field == "variations" else None


def _refuse(field: str, code: str, detail: str) -> RequestRefused:
    return RequestRefused([Fault(field, code, detail)])


def _kind_of(name: Any, field: str) -> Kind:
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise _refuse(field, "kind_unsupported", f"kind must be one of {', '.join(KINDS)}")
    return kind


def _listed(batch: BatchRequest) -> list[Wanted]:
    beside = sorted({*(batch.model_extra or {}), *(n for n in _OWN_FIELDS[2:] if getattr(batch, n) is not None)})
    if beside:
        name = beside[0][:64]
        raise _refuse(name, "unknown_field", f"{name!r} cannot stand beside requests; put it into each of them")
    jobs: list[Wanted] = []
    faults: list[Fault] = []
    for place, request in enumerate(batch.requests or ()):
        where = f"requests.{place}"
        kind = _kind_of(request.get("kind", batch.kind), f"{where}.kind")
        try:
            jobs.append(read_request(kind, {name: value for name, value in request.items() if name != "kind"}))
        except RequestRefused as error:
            faults += [replace(fault, field=f"{where}.{fault.field}") for fault in error.faults]
    if faults:
        raise RequestRefused(faults[:20])
    return jobs


def _varied(batch: BatchRequest) -> list[Wanted]:
    kind = _kind_of(batch.kind, "kind")
    if (batch.prompt is None) == (batch.prompts is None):
        raise _refuse("prompt", "prompt_required", "give one of requests, prompt or prompts")
    prompts = batch.prompts if batch.prompts is not None else [batch.prompt]
    variations = batch.variations or 1
    if len(prompts) * variations > MOST_JOBS:
        raise _refuse("variations", "batch_too_large", f"a batch has at most {MOST_JOBS} jobs; ask for fewer")
    shared = dict(batch.model_extra or {})
    if "job_id" in shared:
        raise _refuse("job_id", "unknown_field", "job_id belongs to one job; put it into a request of its own")
    jobs = [read_request(kind, shared | {"prompt": prompt}) for prompt in prompts]
    if batch.variations is None:
        return jobs
    return [_with_seed(job, seed) for job in jobs for seed in _seeds(job.options.get("seed"), variations)]


def _seeds(first: int | None, count: int) -> list[int]:
    """Distinct seeds: those after the one that was asked for, or drawn."""
    if first is not None:
        return [(first + number) % SEEDS for number in range(count)]
    return secrets.SystemRandom().sample(range(SEEDS), count)


def _with_seed(job: Wanted, seed: int) -> Wanted:
    return replace(job, options={**job.options, "seed": seed})


def _refuse_repeated_ids(jobs: Sequence[Wanted]) -> None:
    ids = [job.job_id for job in jobs if job.job_id is not None]
    if len(set(ids)) != len(ids):
        raise _refuse("requests", "job_id_repeated", "two requests of this batch have the same job_id")
