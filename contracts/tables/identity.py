"""Keys of programs, browsers that are signed in, and who did what: our own tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from contracts.tables.columns import ROOM_FOR_UPDATES, Row, maybe, moment, one_of, ours, typed, words


class ApiKey(Row, table=True):
    """Writer: gateway. The key of a program: only its hash is kept. Whoever meets it notes its last use."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(
            "api_keys_owner_idx",
            "owner_id",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("revoked_at is null"),
        ),
        ours(**ROOM_FOR_UPDATES),
    )
    id: str = words(primary_key=True)
    owner_id: str = words()
    organization_id: str | None = maybe()
    name: str = words()
    prefix: str = words()
    token_hash: bytes = typed(LargeBinary)
    scopes: list[str] = typed(ARRAY(Text))
    created_at: datetime = moment()
    expires_at: datetime | None = maybe(DateTime(timezone=True))
    last_used_at: datetime | None = maybe(DateTime(timezone=True))
    revoked_at: datetime | None = maybe(DateTime(timezone=True))


class Session(Row, table=True):
    """Writer: gateway. A browser that is signed in, and what its sign-in said; only the token's hash is kept."""

    __tablename__ = "sessions"
    __table_args__ = (one_of("way", "link", "oidc", "key"), Index(None, "expires_at"), ours())
    token_hash: bytes = typed(LargeBinary, primary_key=True)
    user_id: str = words()
    created_at: datetime = moment()
    expires_at: datetime = moment(None)
    organization_id: str | None = maybe()
    role: str | None = maybe()
    email: str | None = maybe()
    actor: str | None = maybe()
    key_id: str | None = maybe()
    way: str = words("'link'::text")


class SigninState(Row, table=True):
    """Writer: gateway. A sign-in that is under way at an OIDC provider; taken once."""

    __tablename__ = "signin_states"
    __table_args__ = (Index(None, "expires_at"), ours())
    state_hash: bytes = typed(LargeBinary, primary_key=True)
    browser_hash: bytes = typed(LargeBinary)
    nonce: str = words()
    verifier: str = words()
    return_to: str = words()
    expires_at: datetime = moment(None)


class SigninTicket(Row, table=True):
    """Writer: gateway (inserts). A sign-in link that was used."""

    __tablename__ = "signin_tickets"
    __table_args__ = ours()
    jti: str = words(primary_key=True)
    used_at: datetime = moment()


class AuditEntry(Row, table=True):
    """Writers: gateway and generator (inserts). Who or what policy decided what, about whom; nobody changes a line."""

    __tablename__ = "audit_log"
    __table_args__ = (Index(None, "at"), ours())
    id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_args=(Identity(always=True),))
    at: datetime = moment()
    actor: str = words()
    on_behalf_of: str | None = maybe()
    action: str = words()
    subject: str | None = maybe()
    request_id: str | None = maybe()
    detail: dict[str, Any] | None = maybe(JSONB)
