"""People and their sessions."""

INSERT_USER = """
    INSERT INTO users (id, "clerkId", email, name) VALUES ($1, $2, $3, $4) ON CONFLICT ("clerkId") DO NOTHING
"""
USE_TICKET = """
    INSERT INTO sorami.signin_tickets (jti) VALUES ($1) ON CONFLICT (jti) DO NOTHING RETURNING jti
"""
INSERT_SESSION = """
    INSERT INTO sorami.sessions (token_hash, user_id, expires_at)
    VALUES ($1, $2, now() + $3 * interval '1 second')
"""
