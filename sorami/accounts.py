"""`sorami admin users`, `keys` and `revoke`: who is known and which keys lead in. Asks the database, as the gateway."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from services.gateway.queries.keys import key_owner, keys_of
from services.gateway.queries.people import found_people, person
from services.gateway.settings import GatewaySettings
from services.gateway.store.audit import AUDIT
from services.gateway.store.keys import REVOKE_KEY
from services.runtime.database import Pool, service_pool, transaction
from services.runtime.own_rows import OwnRows
from services.runtime.settings import load_settings

SERVICE = "gateway"
ACTOR = "operator:command-line"
MOST = 200


def main(argv: list[str] | None = None) -> int:
    """Do what the first argument names; returns 1 when there is nobody or no key of that name."""
    parser = argparse.ArgumentParser(prog="sorami admin", description=__doc__)
    parser.add_argument("what", choices=["users", "keys", "revoke"])
    parser.add_argument("named", nargs="?", default="", help="part of an address or a name, a user's id, or a key's id")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    return asyncio.run(_run(options.what, options.named, as_json=options.json))


async def _run(what: str, named: str, *, as_json: bool) -> int:
    settings = load_settings(GatewaySettings, SERVICE)
    async with service_pool(settings, SERVICE) as pool:
        if what == "revoke":
            return await _revoke(pool, named)
        rows = await (_users(pool, named) if what == "users" else _keys(pool, named))
    if rows is None:
        print(f"sorami: there is nobody called {named}; sorami admin users finds people", file=sys.stderr)
        return 1
    _print(rows, as_json=as_json)
    return 0


async def _users(pool: Pool, named: str) -> list[dict[str, Any]]:
    return [dict(row) for row in await found_people(pool, named, MOST)]


async def _keys(pool: Pool, named: str) -> list[dict[str, Any]] | None:
    found = await person(pool, named)
    if found is None:
        return None
    keys = await keys_of(OwnRows(pool, found["user_id"]), before=None, limit=MOST)
    names = ("id", "prefix", "name", "scopes", "created_at", "expires_at", "last_used_at")
    return [{name: getattr(key, name) for name in names} for key in keys]


async def _revoke(pool: Pool, key_id: str) -> int:
    owner = await key_owner(pool, key_id)
    if owner is None:
        print(f"sorami: there is no key {key_id}; sorami admin keys <user> lists a person's", file=sys.stderr)
        return 1
    async with transaction(pool) as connection:
        if await connection.fetchval(REVOKE_KEY, key_id, owner):
            await connection.execute(AUDIT, ACTOR, owner, "key.revoked", key_id, None, None)
    print("revoked: it is refused within a second")
    return 0


def _print(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=1, default=str, ensure_ascii=False))
        return
    for row in rows:
        known = [value for value in row.values() if value is not None]
        print("  ".join(" ".join(value) if isinstance(value, tuple) else str(value) for value in known))
    if not rows:
        print("none")


if __name__ == "__main__":
    sys.exit(main())
