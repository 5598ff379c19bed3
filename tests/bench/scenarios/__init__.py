"""A scenario a module: `run(plan)` measures and returns rows. The order is that of the report."""

SCENARIOS = (
    "accept",
    "complete",
    "plain",
    "stored",
    "latency",
    "visible",
    "relay",
    "absorb",
    "streams",
    "webhooks",
    "memory",
    "idle",
    "start",
    "parts",
    "growth",
    "overload",
    "procedural",
)
