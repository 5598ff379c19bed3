"""`sorami doctor`, or `python -m sorami.doctor` in a container: examine everything; exit 1 if anything is bad."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import asyncpg
from pydantic import ValidationError

from services.generator.settings import GeneratorSettings
from services.runtime.settings import read_settings
from sorami.doctor.broker import examine_broker
from sorami.doctor.database import examine_database
from sorami.doctor.findings import Finding, as_json, as_text, bad, look
from sorami.doctor.objects import examine_objects
from sorami.doctor.setup import missing_settings, wrong_settings
from sorami.doctor.work import examine_work
from sorami.local.home import Home, holder

NOT_RUNNING = "nothing runs here, and no DATABASE_URL is given"


def main(argv: list[str] | None = None) -> int:
    """Examine the installation that the environment names, else the stack of this machine; returns the exit code."""
    parser = argparse.ArgumentParser(prog="sorami doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    findings = examine(Home.find(os.environ, Path.cwd()))
    print(json.dumps(as_json(findings), indent=1, ensure_ascii=False) if options.json else as_text(findings))
    return 1 if any(finding.state == "bad" for finding in findings) else 0


def examine(home: Home) -> list[Finding]:
    """Examine everything and return what was found, in the order in which one thing needs another."""
    if os.environ.get("DATABASE_URL"):
        return [*_machine(home), *wrong_settings(), *_secrets(home), *asyncio.run(_servers())]
    if holder(home.lock) is None:
        return [*_machine(home), bad("stack", NOT_RUNNING, "make up, or name your servers (see .env.example)")]
    # As its services see it: what its shell lines tell.
    os.environ.update(_told(home))
    return [*_machine(home), *wrong_settings(), *asyncio.run(_servers())]


def _told(home: Home) -> Mapping[str, str]:
    from sorami.local.shell import running

    return running(home)


def _machine(home: Home) -> list[Finding]:
    """Examine what only a stack of this machine has."""
    if not home.root.exists():
        return []
    from sorami.doctor.machine import examine_disk, examine_processes

    found = [examine_disk(home.root, objects=home.objects.exists())]
    return found + (examine_processes(home) if holder(home.lock) is not None else [])


def _secrets(home: Home) -> list[Finding]:
    """A stack of this machine makes its own."""
    return [] if holder(home.lock) is not None else missing_settings()


async def _servers() -> list[Finding]:
    try:
        settings = read_settings(GeneratorSettings, "generator")
    except ValidationError:
        # What is wrong was said; without settings nothing can be asked.
        return []
    database, broker, objects = await asyncio.gather(
        examine_database(settings), examine_broker(settings), examine_objects(settings)
    )
    findings = [*database.findings, *broker, objects]
    if database.pool is not None:
        async with database.pool as pool:
            try:
                findings += await examine_work(pool)
            except asyncpg.InsufficientPrivilegeError as error:
                findings.append(look("rows", f"this login may not read them: {error}", "use the login that migrates"))
    return findings


if __name__ == "__main__":
    sys.exit(main())
