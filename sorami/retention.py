"""`sorami admin retention`: what is kept how long, what may go now; lets it go when told to. Asks the database."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.gateway.settings import GatewaySettings
from services.gateway.usecases import forget as gateway
from services.generator.settings import GeneratorSettings
from services.generator.usecases import forget as generator
from services.notifier.settings import NotifierSettings
from services.notifier.usecases import forget as notifier
from services.persistence.settings import PersistenceSettings
from services.persistence.usecases import forget as persistence
from services.runtime.database import service_pool
from services.runtime.retention import Retain, Rule
from services.runtime.settings import load_settings

SERVICES: Sequence[tuple[str, Any, Callable[[Any], list[Rule]]]] = (
    ("gateway", GatewaySettings, gateway.rules),
    ("generator", GeneratorSettings, generator.rules),
    ("persistence", PersistenceSettings, persistence.rules),
    ("notifier", NotifierSettings, notifier.rules),
)
ELSEWHERE = (
    {"what": "outbox rows", "kept": "until Kafka acknowledged them", "by": "every service"},
    {"what": "deleted generations", "kept": "as long as they can be restored", "setting": "SORAMI_RESTORE_DAYS"},
    {"what": "uploads nobody used", "kept": "30 days by default", "setting": "SORAMI_UPLOAD_DAYS"},
    {"what": "objects no row names", "kept": "48 hours by default", "setting": "SORAMI_JANITOR_AGE_HOURS"},
    {"what": "topics", "kept": "7 days, dead letters 30", "by": "Kafka"},
)


def main(argv: list[str] | None = None) -> int:
    """Print the rules; with --run let go what may go, and say how much went."""
    parser = argparse.ArgumentParser(prog="sorami admin retention", description=__doc__)
    parser.add_argument("--run", action="store_true", help="let go now what may go")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    rows = [*asyncio.run(_look(really=options.run)), *ELSEWHERE]
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print(_line(row, ran=options.run))
    return 0


def _line(row: Mapping[str, Any], *, ran: bool) -> str:
    counted = f"{row['due']:,} may go" if "due" in row else ""
    counted += f", {row['gone']:,} went" if ran and "gone" in row else ""
    return f"{row['what']:<30}{row['kept']}  ({row.get('setting') or row.get('by') or 'fixed'})  {counted}".rstrip()


async def _look(*, really: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for service, settings_class, rules_of in SERVICES:
        settings = load_settings(settings_class, service)
        rules = rules_of(settings)
        async with service_pool(settings, service) as pool:
            due = {rule.what: await rule.count(pool) for rule in rules}
            gone = await Retain(pool, rules).look() if really else {}
        rows += [
            {
                "what": rule.what,
                "kept": rule.kept,
                "setting": rule.setting,
                "by": service,
                "due": due[rule.what],
                "gone": gone.get(rule.what, 0),
            }
            for rule in rules
        ]
    return rows


if __name__ == "__main__":
    sys.exit(main())
