"""What is paused: nothing new is begun of it until the row is gone."""

from contracts.sharing import TASKS_CHANNEL

PAUSE = """
    INSERT INTO sorami.pauses AS p (scope, name, reason, paused_by) VALUES ($1, $2, $3, $4)
    ON CONFLICT (scope, name) DO UPDATE SET reason = excluded.reason, paused_by = excluded.paused_by
    RETURNING scope, name, reason, paused_by, paused_at
"""

RESUME = "DELETE FROM sorami.pauses WHERE scope = $1 AND name = $2 RETURNING scope"

# tell_generators: at most as often as operators resume something.
TELL_GENERATORS = f"SELECT pg_notify('{TASKS_CHANNEL}', 'gateway')"
