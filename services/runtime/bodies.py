"""Bodies and query parameters as strict models: unknown fields, wrong types and ranges are named with a stable code."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from contracts.faults import Fault, faults_of
from services.runtime.http_body import read_object
from services.runtime.problems import Problem

BODY_LIMIT = 64 * 1024


class Body(BaseModel):
    """A request body: nothing is coerced and nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """Query parameters: texts become numbers and dates, and a name that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


AnyBody = TypeVar("AnyBody", bound=Body)
AnyQuery = TypeVar("AnyQuery", bound=Query)


def refused(faults: Sequence[Fault]) -> Problem:
    """Turn the faults of a request into a 422 that names each of them."""
    errors = [{"field": fault.field, "code": fault.code, "detail": fault.detail} for fault in faults]
    return Problem(422, faults[0].code, faults[0].detail, errors=errors, field=faults[0].field)


async def read_body(request: Request, model: type[AnyBody], *, limit: int = BODY_LIMIT) -> AnyBody:
    """Read a JSON body of at most `limit` bytes; raises a 4xx problem."""
    body = await read_object(request, limit=limit)
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise refused(faults_of(error, "this request")) from None


def read_query(request: Request, model: type[AnyQuery]) -> AnyQuery:
    """Read the query parameters; one given more than once must be a list in the model. Raises a 422 problem."""
    given: dict[str, str | list[str]] = {}
    for name in request.query_params:
        values = request.query_params.getlist(name)
        takes_many = name in model.model_fields and "list" in str(model.model_fields[name].annotation)
        if len(values) > 1 and not takes_many:
            raise Problem(422, f"{name[:64]}_repeated", f"{name[:64]} is given more than once")
        if any("\x00" in value for value in values):
            raise Problem(422, f"{name[:64]}_control_character", f"{name[:64]} holds a control character; remove it")
        given[name] = values if takes_many else values[0]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise refused(faults_of(error, "the query")) from None
