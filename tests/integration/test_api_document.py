"""The OpenAPI document is true: thousands of made-up requests get neither a 5xx nor an answer it does not name."""

import asyncio
import json
import os
import sys
from pathlib import Path

from tests.support.product import Product

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


async def test_no_request_finds_a_5xx_or_an_answer_the_document_does_not_allow(
    product: Product, tmp_path: Path
) -> None:
    person = product.person()
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps((await person.http.get("/openapi.json")).json()))
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "st"),
        "run",
        str(document),
        f"--url={product.url}",
        f"--header={'Authorization'}:{person.http.headers['authorization']}",
        f"--checks={CHECKS}",
        f"--max-examples={os.environ.get('SORAMI_FUZZ_EXAMPLES', '12')}",
        f"--exclude-operation-id-regex=^{STREAMS}",
        "--phases=examples,coverage,fuzzing",
        "--request-timeout=20",
        "--continue-on-failure",
        "--no-color",
        "--workers=2",
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(600):
        said, _ = await process.communicate()
    print(said.decode())
    assert process.returncode == 0, said.decode()[-20_000:]
