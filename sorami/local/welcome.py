"""What a start shows: its steps, a first image and a first video made through the API, and where everything is."""

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sorami.api import Api, ApiError, links
from sorami.generate import follow
from sorami.local import identity, view
from sorami.local.home import Home
from sorami.local.state import State
from sorami.progress import Board

DEMO = {
    "image": {"prompt": "A lighthouse above the sea at dusk, first stars", "size": "1024x1024"},
    "video": {"prompt": "Northern lights drifting over a snowy forest", "size": "1280x720"},
}
LOOK_EVERY = 0.1


@dataclass
class Made:
    """The first media of this start; seconds count from the command."""

    files: dict[str, list[str]] = field(default_factory=dict)
    accepted_after: float = 0.0
    completed_after: float = 0.0
    ready_after: float = 0.0

    def all_files(self) -> list[str]:
        return [address for found in self.files.values() for address in found]


async def show_steps(state: State, shown: Board) -> None:
    """Follows every process until the stack is ready."""
    while True:
        for name, percent, words in view.steps(state.view()):
            shown.show(name, percent, words)
        if state.phase == "ready":
            return
        await asyncio.sleep(LOOK_EVERY)


async def first_media(home: Home, url: str, shown: Board, began: float) -> Made:
    """The image, and when it is there the video: a small machine shows its first result soonest so."""
    made = Made()
    async with Api(url, await asyncio.to_thread(identity.token, home)) as api:
        for kind, fields in DEMO.items():
            try:
                job_id = str((await api.create(kind, fields))["job_id"])
                made.accepted_after = made.accepted_after or time.monotonic() - began
                last = await follow(api, kind, job_id, shown, f"first {kind}")
                if last.status != "COMPLETED":
                    raise ApiError(f"the first {kind} is {last.status}: {last.error or last.message}")
                made.completed_after = made.completed_after or time.monotonic() - began
                made.files[kind] = links(kind, await api.result(kind, job_id))
            except ApiError as error:
                print(f"sorami: {error}", file=sys.stderr)
    made.ready_after = time.monotonic() - began
    return made


def signin_link(home: Home, env: Mapping[str, str]) -> str:
    return f"{env['SORAMI_PUBLIC_URL'].rstrip('/')}/signin?ticket={identity.ticket(home)}"


def print_links(home: Home, env: Mapping[str, str], made: Made | None) -> None:
    url = env["SORAMI_PUBLIC_URL"].rstrip("/")
    sorami = Path(sys.executable).parent / "sorami"
    short = sorami.relative_to(Path.cwd()) if sorami.is_relative_to(Path.cwd()) else sorami
    rows = [("Page", f"{signin_link(home, env)}  (once, within ten minutes; another: {short} link)")]
    if made is not None:
        rows += [(kind.capitalize(), address) for kind, found in made.files.items() for address in found]
    rows += [
        ("API", f"{url}/docs"),
        ("S3", f"{env.get('S3_ENDPOINT_URL', 'AWS')}  bucket {env['S3_BUCKET']}"),
        ("Kafka", env["KAFKA_BOOTSTRAP_SERVERS"]),
        ("Postgres", f'eval "$({short} env)"; psql -d sorami'),
        ("Logs", f"{short} logs -f   ({home.logs})"),
    ]
    print()
    if made is not None and made.completed_after:
        print(
            f"Ready after {made.ready_after:.1f} s "
            f"(first answer {made.accepted_after:.1f} s, first result {made.completed_after:.1f} s)."
        )
    for name, words in rows:
        print(f"  {name:9} {words}")
    print("\nCtrl-C stops everything; the data stay.", flush=True)
