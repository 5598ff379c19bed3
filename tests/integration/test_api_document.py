"""The OpenAPI document is true: thousands of made-up requests get neither a 5xx nor an answer it does not name."""

import asyncio
import copy
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.support.household import found_household
from tests.support.product import SECRET, Product

STREAMS = "stream_"
"""Operations that never end by themselves; tests/integration/test_streams.py holds them against the document."""
CHECKS = ",".join(
    (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "unsupported_method",
        "allow_header_conformance",
        "ignored_auth",
    )
)


def configuration(ids: dict[str, str], operator: str) -> str:
    """Give the fuzzer things that are there, for all but DELETE, the backends' secret and an operator's token."""
    tables = [
        # Whoever waits for a job is answered late: a minute a request, if the fuzzer chose.
        'parameters = { "query.wait" = 0 }',
        f'[[operations]]\ninclude-path-regex = "^/api/webhooks/"\nheaders = {{ "X-Webhook-Secret" = "{SECRET}" }}',
        '[[operations]]\ninclude-path-regex = "^/api/admin/(dead-letters|health|orphans|queues)"\n'
        f'headers = {{ "Authorization" = "{operator}" }}',
    ]
    for name, value in ids.items():
        place = "/api/videos/" if name == "video_job_id" else "/api/images/" if name == "job_id" else ""
        parameter = name.removeprefix("video_")
        tables.append(
            f'[[operations]]\ninclude-path-regex = "^{place}.*{{{parameter}}}"\n'
            f'exclude-method = "DELETE"\nparameters = {{ "path.{parameter}" = "{value}" }}'
        )
    tables.append(
        f'[[operations]]\ninclude-path-regex = "^/api/jobs/.*{{job_id}}"\n'
        f'parameters = {{ "path.job_id" = "{ids["job_id"]}" }}'
    )
    return "\n\n".join(tables)


async def fuzz(product: Product, folder: Path, document: Any, *options: str) -> tuple[int, str]:
    """Run the fuzzer over a document against the running gateway; returns its exit code and words."""
    household = await found_household(product)
    await household.close()
    operator = product.operator().http.headers["authorization"]
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "schemathesis.toml").write_text(configuration(household.ids, operator))
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "st"),
        "run",
        "openapi.json",
        f"--url={product.url}",
        f"--header=Authorization:{household.owner.http.headers['authorization']}",
        f"--checks={CHECKS}",
        "--phases=examples,coverage,fuzzing",
        "--request-timeout=20",
        "--max-redirects=0",
        "--continue-on-failure",
        "--no-color",
        # One thread: CPython 3.11 keeps the depth of ast.parse once for all threads, and fails when two of them meet.
        "--workers=1",
        *options,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(600):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


def examples() -> tuple[str, ...]:
    """The same few requests in every run; with SORAMI_FUZZ_EXAMPLES=N, N made-up ones an operation, new each time."""
    asked = os.environ.get("SORAMI_FUZZ_EXAMPLES")
    return (f"--max-examples={asked}",) if asked else ("--max-examples=12", "--seed=1")


async def published(product: Product) -> Any:
    return (await product.person().http.get("/openapi.json")).json()


async def test_no_request_finds_a_5xx_or_an_answer_the_document_does_not_allow(
    product: Product, tmp_path: Path
) -> None:
    code, said = await fuzz(
        product,
        tmp_path,
        await published(product),
        *examples(),
        f"--exclude-operation-id-regex=^{STREAMS}",
    )
    assert code == 0, said[-20_000:]


async def test_an_answer_that_the_document_forgot_is_seen(product: Product, tmp_path: Path) -> None:
    document = copy.deepcopy(await published(product))
    del document["paths"]["/api/jobs"]["get"]["responses"]["422"]
    code, said = await fuzz(product, tmp_path, document, "--include-operation-id=list_jobs", "--max-examples=3")
    assert code == 1, said[-4_000:]
    assert "ndocumented" in said, said[-4_000:]
