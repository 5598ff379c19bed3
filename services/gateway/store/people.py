"""People, their organisations and their sessions.

No `ON CONFLICT` names its key: in a database that held doubles the unique key leaves some rows out.
"""

INSERT_USER = """
    INSERT INTO users (id, "clerkId", email, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
INSERT_ORGANIZATION = """
    INSERT INTO organizations (id, "clerkId", name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
INSERT_MEMBERSHIP = """
    INSERT INTO organization_memberships (id, "userId", "organizationId", role) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING
"""
CHANGE_ROLE = """
    UPDATE organization_memberships SET role = $3 WHERE "userId" = $1 AND "organizationId" = $2
"""
USE_TICKET = """
    INSERT INTO sorami.signin_tickets (jti) VALUES ($1) ON CONFLICT (jti) DO NOTHING RETURNING jti
"""
INSERT_SESSION = """
    INSERT INTO sorami.sessions (token_hash, user_id, expires_at, organization_id, role, email, actor, key_id, way)
    VALUES ($1, $2, now() + $3 * interval '1 second', $4, $5, $6, $7, $8, $9)
"""
DELETE_SESSION = """
    DELETE FROM sorami.sessions WHERE token_hash = $1 RETURNING user_id, actor, key_id
"""
DELETE_OLD_SESSIONS = """
    DELETE FROM sorami.sessions WHERE expires_at < now()
"""
INSERT_STATE = """
    WITH over AS (DELETE FROM sorami.signin_states WHERE expires_at < now())
    INSERT INTO sorami.signin_states (state_hash, browser_hash, nonce, verifier, return_to, expires_at)
    VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second')
"""
TAKE_STATE = """
    DELETE FROM sorami.signin_states WHERE state_hash = $1 AND browser_hash = $2 AND expires_at > now()
    RETURNING nonce, verifier, return_to
"""
