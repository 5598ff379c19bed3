"""`sorami admin janitor`: looks through the whole bucket for what no row names, and removes it unless told not to."""

import argparse
import asyncio
import sys

from services.generator.settings import GeneratorSettings
from services.generator.usecases.sweep_objects import Found, SweepObjects
from services.runtime.database import service_pool
from services.runtime.objects import ObjectsUnavailable, open_objects
from services.runtime.settings import EXIT_UNAVAILABLE, load_settings

SERVICE = "generator"


def main(argv: list[str] | None = None) -> int:
    """Look, print what was found and return an exit code: 0, 75 when the bucket does not answer, 78."""
    parser = argparse.ArgumentParser(prog="sorami admin janitor", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="remove nothing, say what would be removed")
    parser.add_argument("--age-hours", type=float, default=None, help="how old an object must be; never below 1")
    options = parser.parse_args(argv)
    try:
        found = asyncio.run(_look(dry_run=options.dry_run, age_hours=options.age_hours))
    except ObjectsUnavailable as error:
        print(f"the bucket does not answer: {error}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    _print(found, "would be removed" if options.dry_run else "removed")
    return 0


async def _look(*, dry_run: bool, age_hours: float | None) -> Found:
    settings = load_settings(GeneratorSettings, SERVICE)
    age = max(1.0, age_hours) if age_hours is not None else settings.janitor_age_hours
    async with service_pool(settings, SERVICE) as pool, open_objects(settings) as objects:
        return await SweepObjects(pool, objects, age_hours=age).everything(remove=not dry_run)


def _print(found: Found, verb: str) -> None:
    print(f"looked at {found.looked_at} objects")
    for folder, count in sorted(found.removed.items()):
        print(f"{folder}/: {count} {verb}")
    print(f"{found.bytes_freed} bytes, {found.unfinished} unfinished uploads, {found.folders} folders {verb}")
    for key in found.examples:
        print(f"  {key}")


if __name__ == "__main__":
    sys.exit(main())
