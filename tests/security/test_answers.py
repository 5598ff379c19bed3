"""What answers, errors and logs may hold, and that no route stands beside the documents (S13, S46, S47, S48, S58)."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from services.gateway.api.pages import PAGES
from services.runtime.problems import ProblemDocuments
from sorami.documents import gateway_api, openapi
from tests.support.gateway import running_gateway
from tests.support.household import Route as Route_
from tests.support.household import found_household
from tests.support.identity_provider import IdentityProvider
from tests.support.postgres import Database
from tests.support.product import Product

DOCUMENT = openapi()
# Whose a thing is, where its bytes lie, who works on it, and whatever opens something.
INTERNAL = re.compile(
    r"(author|owner)_?id|s3_?key|storage_?key|token_?hash|password_?hash|request_?hash|fence|lease|worker|sealed|dsn",
    re.IGNORECASE,
)


def schema_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference stands for."""
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def named(schema: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Return the names of all fields of a schema, however deep."""
    if (reference := schema.get("$ref")) in seen:
        return
    seen = seen | {reference} if reference else seen
    schema = schema_of(schema)
    for name, field in schema.get("properties", {}).items():
        yield name
        yield from named(field, seen)
    inside = [
        schema.get("items"),
        schema.get("additionalProperties"),
        *schema.get("anyOf", ()),
        *schema.get("oneOf", ()),
    ]
    for one in inside:
        if isinstance(one, Mapping):
            yield from named(one, seen)


def undocumented(value: Any, schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Return the paths of fields that an answer has and its schema does not name."""
    schema = schema_of(schema)
    choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if choices:
        wrong = [list(undocumented(value, choice, path)) for choice in choices]
        yield from min(wrong, key=len)
    elif isinstance(value, list):
        for item in value:
            yield from undocumented(item, schema.get("items", {}), f"{path}[]")
    elif isinstance(value, dict):
        fields, more = (
            schema.get("properties", {}),
            schema.get("additionalProperties", schema.get("properties") is None),
        )
        for name, inner in value.items():
            if name in fields:
                yield from undocumented(inner, fields[name], f"{path}.{name}")
            elif not more:
                yield f"{path}.{name}"


def served_routes(app: Any) -> Iterator[tuple[str, Any]]:
    """Return every route with what stands in front of it, those of included routers too."""
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield "", route
        else:
            yield from ((prefix, one) for prefix, one in served_routes(inner))


def bodies(operation: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for status, answer in operation["responses"].items():
        for content_type, body in answer.get("content", {}).items():
            if "json" in content_type:
                yield status, body["schema"]


def test_S13_no_documented_answer_names_what_is_internal() -> None:
    found = {
        f"{operation['operationId']}: {name}"
        for path, operations in DOCUMENT["paths"].items()
        for operation in operations.values()
        for _, schema in bodies(operation)
        for name in named(schema)
        if INTERNAL.fullmatch(name) and not path.startswith("/api/admin/")
    }
    # A worker that was given a job is told under which key its file will lie.
    assert found == {"begin_worker_upload: storage_key"}


async def test_S13_an_answer_holds_the_documented_fields_alone(product: Product) -> None:
    household = await found_household(product)
    wrong, asked = {}, 0
    for path, operations in DOCUMENT["paths"].items():
        operation = operations.get("get", {})
        if not operation.get("security") or path.startswith("/api/admin/") or "events" in path or "zip" in path:
            continue
        address = household.address(Route_("GET", path, "", False))
        answer = await household.owner.http.get(address)
        schema = dict(bodies(operation)).get(str(answer.status_code))
        if schema is not None and answer.status_code == 200:
            asked += 1
            if extra := sorted(set(undocumented(answer.json(), schema))):
                wrong[path] = extra
    await household.close()
    assert wrong == {}
    assert asked > 20


async def test_S46_pages_carry_every_header_and_over_https_the_promise_to_stay_there(
    migrated: Database, provider: IdentityProvider
) -> None:
    public = "https://sorami.example"
    async with running_gateway(migrated, provider, public_url=public, allow_hosts=["*"]) as gateway:
        for path in ("/", "/gallery", "/signin", "/docs"):
            headers = (await gateway.get(path, Host="sorami.example")).headers
            assert headers["strict-transport-security"].startswith("max-age=")
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"]
            assert headers["permissions-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_S47_what_nobody_foresaw_is_told_without_a_word_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    words = "SELECT secret FROM users -- postgres at db.internal:5432"

    async def app(_: object, __: object, ___: object) -> None:
        raise RuntimeError(words)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(ProblemDocuments(app)), base_url="http://test"
    ) as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    for word in ("SELECT", "db.internal", "RuntimeError", "Traceback", "File "):
        assert word not in answer.text
    assert "RuntimeError" in capsys.readouterr().out, "the log tells what the answer does not"


def test_S48_a_record_of_the_log_is_one_line_whatever_it_holds() -> None:
    hostile = 'a\\r\\n\\x1b[31m{\\"level\\": \\"error\\"}\\u2028\\x00'
    program = f"""
import logging
from services.runtime.logs import configure_logs, get_logger
configure_logs("test", level="info", pretty=False)
get_logger(part="x").warning("{hostile}", prompt="{hostile}")
logging.getLogger("library").warning("%s", "{hostile}")
try:
    raise ValueError("{hostile}")
except ValueError:
    get_logger().exception("it failed")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.split("\n")[:-1]
    assert len(lines) == 3
    for line in lines:
        assert json.loads(line)["event"]
        assert not re.search(r"[\x00-\x1f\x7f]", line)


def test_S58_every_route_is_documented_and_every_documented_one_is_served() -> None:
    served = {
        (method.lower(), re.sub(r":\w+}", "}", prefix + route.path))
        for prefix, route in served_routes(gateway_api())
        for method in route.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    assert len(served) > 80
    documented = {(method, path) for path, operations in DOCUMENT["paths"].items() for method in operations}
    # Pages for people with their forms and files, what a probe asks, and the document itself.
    beside = re.compile(r"/(static|s|signin|problems)(/.*)?|/(healthz|readyz|openapi\.json)")
    unknown = {one for one in served - documented if one[1] not in PAGES and not beside.fullmatch(one[1])}
    assert unknown == set()
    assert documented - served == set()
