"""The first key of an installation that nobody can sign in to: made by a command beside the gateway."""

import asyncio
import os
import re
import sys
from typing import Any

import httpx

from contracts.ids import new_id
from tests.support.product import Product


async def command(product: Product, *arguments: str) -> tuple[int, str, str]:
    """Run a module as in a gateway's pod and return its code, what it printed, and what it said."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdout=pipe, stderr=pipe, env=os.environ | product.stack.env
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def get(product: Product, path: str, key: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=product.url, timeout=30) as client:
        return await client.get(path, headers={"Authorization": f"Bearer {key}"})


async def test_a_key_operates_the_system_and_its_secret_alone_is_printed(product: Product) -> None:
    code, out, err = await command(product, "services.gateway.operator_key", "--name", "first")
    assert code == 0, err
    assert re.fullmatch(r"sk_sorami_\S+\n", out)
    assert (await get(product, "/api/admin/health", out.strip())).status_code == 200
    keys: dict[str, Any] = (await get(product, "/api/keys", out.strip())).json()
    (key,) = [one for one in keys["keys"] if one["name"] == "first"]
    assert key["expires_at"] is not None, "it ends, unless told otherwise"
    row = await product.row("SELECT actor, action FROM sorami.audit_log WHERE subject = $1", key["id"])
    assert (row["actor"].startswith("command on "), row["action"]) == (True, "key.created")


async def test_a_key_for_one_purpose_and_person_may_no_more(product: Product) -> None:
    subject = f"user_{new_id()}"
    flags = ("--scopes", "jobs:read,jobs:write", "--subject", subject, "--days", "0")
    code, out, err = await command(product, "sorami.cli", "admin", "operator-key", *flags)
    assert code == 0, err
    assert (await get(product, "/api/me", out.strip())).json()["user_id"] == await product.person(subject).user_id()
    assert (await get(product, "/api/admin/health", out.strip())).status_code == 403


async def test_a_scope_that_is_none_is_refused_with_those_there_are(product: Product) -> None:
    code, out, err = await command(product, "services.gateway.operator_key", "--scopes", "everything")
    assert (code, out) == (2, "")
    assert "operate" in err
