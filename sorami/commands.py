"""Every command and its options; each hands over to the module that does the work."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from contracts.kinds import KINDS
from sorami.admin_commands import admin
from sorami.local.home import Home, holder

app = typer.Typer(
    name="sorami",
    help="Event-driven image and video generation: the stack of this machine, and jobs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
topics = typer.Typer(help="Kafka topics.", no_args_is_help=True)
app.add_typer(topics, name="topics")

app.add_typer(admin, name="admin")

NOT_RUNNING = 3
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _home() -> Home:
    return Home.find(os.environ, Path.cwd())


@app.command()
def run(
    demo: Annotated[bool, typer.Option(help="Make a first image and a first video.")] = True,
) -> int:
    """Start everything and stay until Ctrl-C."""
    from sorami.local import foreground

    return foreground.run(demo=demo)


@app.command()
def up(
    demo: Annotated[
        bool | None, typer.Option(help="Make a first image and a first video (by default on a new data folder).")
    ] = None,
) -> int:
    """Start everything in the background and return when it is ready."""
    from sorami.local import background

    return background.up(demo=demo)


@app.command()
def down() -> int:
    """Stop what runs in the background (or in another terminal); the data stay."""
    from sorami.local import background

    return background.down()


@app.command()
def status(as_json: AsJson = False) -> int:
    """Show each process with pid, port, state and address; exit code 0 ready, 1 not yet, 3 not running."""
    from sorami.local import state, view

    home = _home()
    running = holder(home.lock) is not None
    seen = state.read(home.state) if running else state.Seen({})
    if as_json:
        print(json.dumps(view.as_json(seen, running=running), indent=1))
    elif running:
        view.table(seen)
    else:
        print("not running; start it with: make up")
    if not running:
        return NOT_RUNNING
    return 0 if all(process["state"] == "ready" for process in seen.processes) else 1


@app.command()
def doctor(as_json: AsJson = False) -> int:
    """Explain what is wrong with an installation and what to do; exit code 1 if anything is bad."""
    from sorami.doctor import __main__ as examining

    return examining.main(["--json"] if as_json else [])


@app.command()
def logs(
    names: Annotated[list[str] | None, typer.Argument(help="Processes; all when none is named.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of each to begin with.")] = 20,
) -> int:
    """Show logs."""
    from sorami.local import logs as reader

    return reader.show(_home(), names or [], lines=lines, follow=follow)


@app.command()
def env() -> int:
    """Print `export` lines of the running stack: eval "$(sorami env)"."""
    from sorami.local import shell

    print(shell.exports(_home()), end="")
    return 0


@app.command()
def token(
    user: Annotated[str, typer.Option(help="Whose token.")] = "user_local",
    hours: Annotated[float, typer.Option(help="How long it is good for.")] = 12.0,
) -> int:
    """Print a bearer token of the development issuer."""
    from sorami.local import identity

    print(identity.token(_home(), user, int(hours * 3600)))
    return 0


@app.command()
def link(user: Annotated[str, typer.Option(help="Who signs in.")] = "user_local") -> int:
    """Print a sign-in link to the page; it works once, within ten minutes."""
    from sorami.local import identity, shell

    url = shell.running(_home())["SORAMI_URL"]
    print(f"{url}/signin?ticket={identity.ticket(_home(), user)}")
    return 0


@app.command()
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, change nothing.")] = False,
    print_roles: Annotated[bool, typer.Option("--print-roles", help="Print the SQL of roles and grants.")] = False,
) -> int:
    """Bring the database of DATABASE_URL (or of the running stack) to this version."""
    from sorami.local import shell

    flags = (["--dry-run"] if dry_run else []) + (["--print-roles"] if print_roles else [])
    return shell.run_entry(_home(), "DATABASE_URL", "services.persistence.migrate:main", [flags])


@app.command("seed-data")
def seed_data(
    jobs: Annotated[int, typer.Option("--jobs", "-n", min=1, max=100_000_000, help="How many jobs to make.")] = 100_000,
    owners: Annotated[int, typer.Option(min=1, max=100_000, help="How many made-up people share them.")] = 1,
    owner: Annotated[str | None, typer.Option(help="One who exists instead, e.g. user_local.")] = None,
    searchable: Annotated[int | None, typer.Option(min=0, help="Only the newest so many get search documents.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove all that was ever made so.")] = False,
) -> int:
    """Fill the database with made-up jobs, for measurements; refused where ENVIRONMENT is production."""
    from sorami.local import shell

    arguments = [jobs, owners, owner, searchable, remove]
    return shell.run_entry(_home(), "DATABASE_URL", "sorami.seed_data:main", arguments)


@topics.command("create")
def create_topics() -> int:
    """Create the declared topics on KAFKA_BOOTSTRAP_SERVERS (or on the running stack)."""
    from sorami.local import shell

    return shell.run_entry(_home(), "KAFKA_BOOTSTRAP_SERVERS", "services.persistence.topics:main", [])


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        raise typer.BadParameter(f"choose {' or '.join(KINDS)}")
    return kind


@app.command()
def generate(  # noqa: PLR0913, PLR0917 one option each
    kind: Annotated[str, typer.Argument(help=f"What to make: {' or '.join(KINDS)}.", callback=_known_kind)],
    prompt: Annotated[str, typer.Argument(help="In any language.")],
    model: Annotated[str | None, typer.Option(help="The model's id.")] = None,
    size: Annotated[str | None, typer.Option(help="WIDTHxHEIGHT.")] = None,
    count: Annotated[int | None, typer.Option(help="How many.")] = None,
    style: Annotated[str | None, typer.Option(help="A style by name.")] = None,
    quality: Annotated[str | None, typer.Option(help="A quality by name.")] = None,
    file_format: Annotated[str | None, typer.Option("--format", help="PNG, JPEG, WEBP, AVIF; MP4.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same picture.")] = None,
    input_image: Annotated[str | None, typer.Option(help="The address of an image to start from.")] = None,
    duration: Annotated[float | None, typer.Option(help="Seconds of video.")] = None,
    fps: Annotated[int | None, typer.Option(help="Frames a second of video.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show it being made and print the files.")] = False,
    as_json: AsJson = False,
) -> int:
    """Make images, videos or what else there is; prints the job's id, with --watch the addresses of its files."""
    import asyncio

    from sorami import generate as making

    fields: dict[str, Any] = {
        "prompt": prompt,
        "model": model,
        "size": size,
        KINDS[kind].count_field: count,
        "style": style,
        "quality": quality,
        "format": file_format,
        "seed": seed,
        "input_image_url": input_image,
        "duration_seconds": duration,
        "fps": fps,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    return asyncio.run(making.generate(kind, given, watch=watch, as_json=as_json))


if __name__ == "__main__":
    sys.exit(app())
