"""`sorami admin`: what an operator does over the HTTP API, with the token of an operator."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

admin = typer.Typer(
    help="Operate a running system: what is behind, dead letters, parked reports, pauses. "
    "Asks SORAMI_URL with SORAMI_TOKEN (a token or API key that may operate), else the stack of this machine.",
    no_args_is_help=True,
)
letters = typer.Typer(help="Records that could not be handled.", no_args_is_help=True)
orphans = typer.Typer(help="Reports of a backend that nobody could be given.", no_args_is_help=True)
admin.add_typer(letters, name="dead-letters")
admin.add_typer(orphans, name="orphans")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LETTERS = "/api/admin/dead-letters"
ORPHANS = "/api/admin/orphans"
PAUSES = "/api/admin/pauses"


@admin.command()
def health(as_json: AsJson = False) -> int:
    """Show lags, outboxes, and how much needs a decision."""
    return _show("/api/admin/health", ("lags", "outboxes"), as_json)


@admin.command()
def queues(as_json: AsJson = False) -> int:
    """Show what waits and runs, by provider."""
    return _show("/api/admin/queues", ("queues",), as_json)


@admin.command()
def janitor(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing, say what would be removed.")] = False,
    age_hours: Annotated[float | None, typer.Option(min=1, help="How old an object must be.")] = None,
) -> int:
    """Remove objects that no row names, all at once (the generator does it bit by bit); asks database and bucket."""
    flags = (["--dry-run"] if dry_run else []) + ([f"--age-hours={age_hours}"] if age_hours is not None else [])
    return _entry("DATABASE_URL", "services.generator.janitor:main", flags)


@admin.command()
def topics(as_json: AsJson = False) -> int:
    """Show every declared topic as the brokers have it; asks Kafka."""
    return _entry("KAFKA_BOOTSTRAP_SERVERS", "sorami.topic_list:main", ["--json"] if as_json else [])


@admin.command()
def users(
    text: Annotated[str, typer.Argument(help="Part of an address, a name or an id; everybody when left out.")] = "",
    as_json: AsJson = False,
) -> int:
    """Find people, with their open jobs and keys; asks the database."""
    return _entry("DATABASE_URL", "sorami.accounts:main", ["users", text] + (["--json"] if as_json else []))


@admin.command()
def keys(
    user: Annotated[str, typer.Argument(help="Our id of a user, or the identity provider's.")], as_json: AsJson = False
) -> int:
    """Show the API keys of a person; asks the database."""
    return _entry("DATABASE_URL", "sorami.accounts:main", ["keys", user] + (["--json"] if as_json else []))


@admin.command()
def revoke(key_id: str) -> int:
    """Revoke anybody's API key; asks the database."""
    return _entry("DATABASE_URL", "sorami.accounts:main", ["revoke", key_id])


@admin.command()
def drain(
    scope: Annotated[str, typer.Argument(help="all, provider, model or kind.")] = "all",
    name: Annotated[str, typer.Argument(help="Which of them; left out for all.")] = "all",
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
    within: Annotated[float, typer.Option(help="Seconds to wait.")] = 3_600.0,
) -> int:
    """Pause something and wait until nothing of its providers is under way; `resume` goes on."""
    return asyncio.run(_draining(scope, name, reason, within))


@admin.command()
def retention(
    run: Annotated[bool, typer.Option("--run", help="Let go now what may go.")] = False, as_json: AsJson = False
) -> int:
    """Show what is kept how long and what may go now; asks the database."""
    return _entry("DATABASE_URL", "sorami.retention:main", (["--run"] if run else []) + (["--json"] if as_json else []))


@admin.command("operator-key")
def operator_key(
    name: Annotated[str, typer.Option(help="What the key is for.")] = "operator",
    days: Annotated[int, typer.Option(min=0, help="How long it lives; 0 is until it is revoked.")] = 90,
    scopes: Annotated[str | None, typer.Option(help="Separated by commas; else the personal ones and operate.")] = None,
    subject: Annotated[
        str | None, typer.Option(help="Whose it is, by the issuer's id; else a user of its own.")
    ] = None,
) -> int:
    """Make an API key where nobody can sign in yet; asks the database, and prints the secret alone to stdout."""
    from sorami.local import shell
    from sorami.local.home import Home

    flags = [f"--name={name}", f"--days={days}"]
    flags += [f"--{option}={text}" for option, text in (("scopes", scopes), ("subject", subject)) if text is not None]
    home = Home.find(os.environ, Path.cwd())
    return shell.run_entry(home, "DATABASE_URL", "services.gateway.operator_key:main", [flags])


@admin.command()
def pauses(as_json: AsJson = False) -> int:
    """Show what is paused."""
    return _show(PAUSES, ("pauses",), as_json)


Scope = Annotated[str, typer.Argument(help="all, provider, model or kind.")]
Name = Annotated[str, typer.Argument(help="Which of them; left out for all.")]


@admin.command()
def pause(scope: Scope, name: Name = "all", reason: Annotated[str | None, typer.Option(help="Why.")] = None) -> int:
    """Begin nothing new of a provider, a model, a kind or everything; what runs goes on."""
    return _do("PUT", f"{PAUSES}/{_part(scope)}/{_part(name)}", {"reason": reason} if reason else {})


@admin.command()
def resume(scope: Scope, name: Name = "all") -> int:
    """Go on."""
    return _do("DELETE", f"{PAUSES}/{_part(scope)}/{_part(name)}")


@letters.command("list")
def list_letters(
    state: Annotated[str, typer.Option(help="open, replayed, discarded or all.")] = "open",
    topic: Annotated[str | None, typer.Option(help="Those of this topic.")] = None,
    consumer: Annotated[str | None, typer.Option(help="Those that this service could not handle.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> int:
    """List dead letters."""
    asked = {"state": state, "topic": topic, "consumer": consumer, "limit": limit}
    given = {name: value for name, value in asked.items() if value is not None}
    return _show(LETTERS, ("dead_letters",), as_json, given)


@letters.command("show")
def show_letter(letter_id: str) -> int:
    """Print one with its value and headers, as JSON."""
    return _show(f"{LETTERS}/{_part(letter_id)}", (), as_json=True)


@letters.command("replay")
def replay_letters(
    letter_id: Annotated[str | None, typer.Argument(help="One; else all that the options name.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All open ones.")] = False,
    topic: Annotated[str | None, typer.Option(help="Those of this topic.")] = None,
    consumer: Annotated[str | None, typer.Option(help="Those of this service.")] = None,
) -> int:
    """Send dead letters to their topic again; what is handled twice changes nothing."""
    if letter_id is not None:
        return _do("POST", f"{LETTERS}/{_part(letter_id)}/replay")
    if not (every or topic or consumer):
        print("sorami: name a dead letter, --topic, --consumer or --all", file=sys.stderr)
        return 2
    named = {"topic": topic, "consumer": consumer}
    return _do_all(f"{LETTERS}/replay", {name: value for name, value in named.items() if value})


@letters.command("discard")
def discard_letter(letter_id: str) -> int:
    """Set one aside; it stays readable."""
    return _do("DELETE", f"{LETTERS}/{_part(letter_id)}")


@orphans.command("list")
def list_orphans(
    state: Annotated[str, typer.Option(help="open, assigned, discarded or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> int:
    """List parked reports."""
    return _show(ORPHANS, ("orphans",), as_json, {"state": state, "limit": limit})


@orphans.command("assign")
def assign_orphan(
    orphan_id: str, user: Annotated[str, typer.Argument(help="Our id of a user, or the identity provider's.")]
) -> int:
    """Give a parked report to its owner: it becomes a job of theirs."""
    return _do("POST", f"{ORPHANS}/{_part(orphan_id)}/assign", {"user_id": user})


@orphans.command("discard")
def discard_orphan(orphan_id: str) -> int:
    """Say that it is nobody's; it stays readable."""
    return _do("DELETE", f"{ORPHANS}/{_part(orphan_id)}")


def _entry(address: str, entry: str, arguments: Sequence[str]) -> int:
    """Run a command that asks a server itself, at the address that the shell gives or the running stack's."""
    from sorami.local import shell
    from sorami.local.home import Home

    return shell.run_entry(Home.find(os.environ, Path.cwd()), address, entry, [list(arguments)])


async def _draining(scope: str, name: str, reason: str | None, within: float) -> int:
    path = f"{PAUSES}/{_part(scope)}/{_part(name)}"
    if await _call("PUT", path, json={"reason": reason} if reason else {}) is None:
        return 1
    deadline = time.monotonic() + within
    while True:
        found = await _call("GET", "/api/admin/queues")
        if found is None:
            return 1
        # Of a model or a kind the queues do not tell: then every provider is waited for.
        own = [queue for queue in found["queues"] if scope != "provider" or queue["provider"] == name]
        busy = sum(queue["running"] + queue["waiting"] for queue in own)
        if busy == 0:
            print("drained: nothing is under way")
            return 0
        if time.monotonic() > deadline:
            print(f"sorami: {busy} are still under way; the pause stays", file=sys.stderr)
            return 1
        await asyncio.sleep(1)


def _part(text: str) -> str:
    return quote(text, safe="")


def _show(path: str, tables: Sequence[str], as_json: bool, params: Mapping[str, Any] | None = None) -> int:
    return asyncio.run(_showing(path, tables, as_json, params))


async def _showing(path: str, tables: Sequence[str], as_json: bool, params: Mapping[str, Any] | None) -> int:
    found = await _call("GET", path, params=params)
    if found is None:
        return 1
    if as_json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    for name in tables:
        _table(name, found.get(name) or [])
    for name, value in found.items():
        if name not in tables and isinstance(value, (int, float, str)):
            print(f"{name}: {value}")
    return 0


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        print(f"{title}: none")
        return
    columns = [name for name, value in rows[0].items() if not isinstance(value, (dict, list))]
    shown = Table(title=title, box=None, pad_edge=False, title_justify="left")
    for name in columns:
        shown.add_column(name, no_wrap=True)
    for row in rows:
        shown.add_row(*("-" if row.get(name) is None else str(row[name]) for name in columns))
    # A pipe gets whole rows, whatever their width.
    Console(width=None if sys.stdout.isatty() else 400, highlight=False, markup=False).print(shown)


def _do(method: str, path: str, body: Mapping[str, Any] | None = None) -> int:
    found = asyncio.run(_call(method, path, json=body))
    if found is None:
        return 1
    print(json.dumps(found, ensure_ascii=False) if found else "done")
    return 0


def _do_all(path: str, body: Mapping[str, Any]) -> int:
    return asyncio.run(_doing_all(path, body))


async def _doing_all(path: str, body: Mapping[str, Any]) -> int:
    count = 0
    while True:
        found = await _call("POST", path, json=body)
        if found is None:
            return 1
        count += int(found["replayed"])
        body = {**body, "before": found["before"]}
        if not found["more"]:
            print(f"{count} replayed")
            return 0


async def _call(method: str, path: str, **request: Any) -> dict[str, Any] | None:
    from sorami.api import Api, ApiError
    from sorami.generate import access

    url, token = access(os.environ)
    async with Api(url, token) as api:
        try:
            return await api.call(method, path, **{name: value for name, value in request.items() if value is not None})
        except ApiError as error:
            print(f"sorami: {error}", file=sys.stderr)
            return None
