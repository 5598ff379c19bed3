"""Create an API key: never with more than its maker may do, and its secret is shown once."""

from collections.abc import Collection
from dataclasses import dataclass

from contracts.ids import new_id
from contracts.scopes import allowed_scopes
from services.gateway.queries.keys import KeyView, was_revoked
from services.gateway.store.audit import record
from services.gateway.store.keys import INSERT_KEY
from services.runtime.api_keys import key_hash, new_key
from services.runtime.database import Pool, transaction
from services.runtime.identity import Caller

MOST_KEYS = 100


class ScopesBeyondOwn(Exception):
    """The key would be allowed what its maker is not."""

    def __init__(self, scopes: Collection[str]) -> None:
        super().__init__(", ".join(sorted(scopes)))
        self.scopes = sorted(scopes)


class MakerRevoked(Exception):
    """The key that asks was revoked a moment ago."""


class TooManyKeys(Exception):
    """The person has as many keys as one may have."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made, and the secret that is told this once."""

    view: KeyView
    secret: str


async def create_key(
    pool: Pool,
    caller: Caller,
    name: str,
    scopes: Collection[str],
    expires_in_days: int | None,
    *,
    request_id: str | None = None,
) -> NewKey:
    """Make a key of the caller's; raises ScopesBeyondOwn, MakerRevoked or TooManyKeys."""
    beyond = set(scopes) - allowed_scopes(caller.scopes, operator=caller.operator)
    if beyond:
        raise ScopesBeyondOwn(beyond)
    secret, prefix = new_key()
    key_id, given = new_id(), sorted(set(scopes))
    async with transaction(pool) as connection:
        row = await connection.fetchrow(
            INSERT_KEY,
            key_id,
            caller.user_id,
            caller.organization_id,
            name,
            prefix,
            key_hash(secret),
            given,
            expires_in_days,
            caller.key_id,
            MOST_KEYS,
        )
        if row is None:
            raise MakerRevoked if await was_revoked(connection, caller.key_id) else TooManyKeys
        await record(
            connection, caller, "key.created", key_id, request_id=request_id, detail={"prefix": prefix, "scopes": given}
        )
    return NewKey(KeyView(key_id, prefix, name, tuple(given), row["created_at"], row["expires_at"], None), secret)
