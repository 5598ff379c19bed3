"""What generators outside of ours ask for over HTTP: where to upload what they rendered."""

import re
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field

from contracts.events import as_utc
from contracts.faults import Fault, fault
from contracts.ids import is_safe_id
from contracts.kinds import KINDS
from contracts.scopes import Scope
from services.gateway.api import schemas
from services.gateway.api.callers import caller
from services.gateway.api.job_answers import not_found
from services.gateway.parts import Parts
from services.gateway.usecases.begin_worker_upload import JobEnded, NoSuchJob, NotOfItsKind, Rendered
from services.runtime.bodies import Body, read_body, refused
from services.runtime.problems import Problem

MOST_BYTES = max(kind.most_bytes for kind in KINDS.values())


def _hash(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise fault("sha256_invalid", "sha256 must be 64 hexadecimal digits in lower case")
    return text


class WorkerUploadRequest(Body):
    """What will be uploaded, and for which job."""

    job_id: str = Field(min_length=1, max_length=64)
    content_type: str = Field(min_length=1, max_length=100, description="One of the types of the job's kind.")
    size_bytes: int = Field(ge=1, le=MOST_BYTES, description="The exact size of the file.")
    sha256: Annotated[str, AfterValidator(_hash)] = Field(
        description="SHA-256 of the file in hex.", json_schema_extra={"pattern": "^[0-9a-f]{64}$"}
    )


class WorkerUpload(BaseModel):
    """Where to send the bytes: POST `fields` and then `file` to `url` as multipart/form-data."""

    storage_key: str = Field(description="What `files[].storage_key` of job.completed says of these bytes.")
    url: str
    fields: dict[str, str]
    expires_at: str = Field(description="Until when the form may be used.")


def generator_router(parts: Parts) -> APIRouter:
    """Make the route under /api/generators."""
    router = APIRouter(prefix="/api/generators", tags=["generators"])

    @router.post(
        "/uploads",
        status_code=201,
        summary="Begin to upload what was rendered for a job",
        description="For workers that render external models; docs/external-generators.md shows a whole one.",
        operation_id="begin_worker_upload",
        responses=schemas.answers(
            {201: {"model": WorkerUpload, "description": "A form to send the bytes with"}},
            400,
            401,
            403,
            404,
            409,
            413,
            415,
            422,
            503,
        ),
        openapi_extra={"requestBody": schemas.json_body(WorkerUploadRequest)},
    )
    async def begin(request: Request) -> JSONResponse:
        await caller(parts, request, Scope.GENERATE)
        wanted = await read_body(request, WorkerUploadRequest)
        rendered = Rendered(wanted.content_type, wanted.size_bytes, wanted.sha256)
        try:
            if not is_safe_id(wanted.job_id):
                raise NoSuchJob
            key, form = await parts.media.begin_worker_upload(wanted.job_id, rendered)
        except NoSuchJob:
            raise not_found() from None
        except JobEnded as error:
            detail = "the job has ended; stop working on it"
            raise Problem(409, "job_already_finished", detail, job_status=error.status.value) from None
        except NotOfItsKind as error:
            raise refused([_not_of_its_kind(error)]) from None
        body = {"storage_key": key, "url": form.url, "fields": form.fields, "expires_at": as_utc(form.expires_at)}
        return JSONResponse(body, status_code=201, headers={"Cache-Control": "no-store"})

    return router


def _not_of_its_kind(error: NotOfItsKind) -> Fault:
    kind = error.kind
    if error.field == "size_bytes":
        return Fault("size_bytes", "size_bytes_out_of_range", f"size_bytes must be at most {kind.most_bytes}")
    types = ", ".join(kind.formats.values())
    return Fault("content_type", "content_type_not_allowed", f"content_type must be one of {types} for {kind.plural}")
