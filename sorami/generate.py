"""`sorami generate`: one job asked for over the HTTP API, watched to its end, its files printed."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sorami.api import Api, ApiError, Update, links
from sorami.local import environment, identity
from sorami.local.errors import EX_UNAVAILABLE, NotRunning
from sorami.local.home import Home, holder
from sorami.progress import Board, board, words_of


def access(environ: Mapping[str, str]) -> tuple[str, str]:
    """Address and token: those of the shell (`eval "$(sorami env)"`), else of the stack that runs here."""
    if (url := environ.get("SORAMI_URL")) and (token := environ.get("SORAMI_TOKEN")):
        return url, token
    home = Home.find(environ, Path.cwd())
    if holder(home.lock) is None:
        raise NotRunning
    values = environment.read_exports(home.env)
    return values["SORAMI_URL"], identity.token(home)


async def generate(kind: str, fields: dict[str, Any], *, watch: bool, as_json: bool) -> int:
    """Exit code 0 when the job was accepted (or, watched, completed), 1 when it failed."""
    url, token = access(os.environ)
    async with Api(url, token) as api:
        try:
            created = await api.create(kind, fields)
            if not watch:
                print(json.dumps(created) if as_json else created["job_id"])
                return 0
            with board() as shown:
                last = await follow(api, kind, str(created["job_id"]), shown)
            return await _tell(api, kind, str(created["job_id"]), last, as_json=as_json)
        except ApiError as error:
            print(f"sorami: {error}", file=sys.stderr)
            return EX_UNAVAILABLE if "does not answer" in str(error) else 1


async def follow(api: Api, kind: str, job_id: str, shown: Board, name: str | None = None) -> Update:
    """Shows a job until it is over."""
    last = Update("PENDING", 0, None, "", None)
    async for last in api.watch(kind, job_id):
        shown.show(name or kind, last.progress, words_of(last))
    return last


async def _tell(api: Api, kind: str, job_id: str, last: Update, *, as_json: bool) -> int:
    if last.status != "COMPLETED":
        if as_json:
            print(json.dumps({"job_id": job_id, "status": last.status, "error_message": last.error}))
        else:
            print(f"sorami: {job_id} is {last.status}: {last.error or last.message}", file=sys.stderr)
        return 1
    result = await api.result(kind, job_id)
    print(json.dumps(result) if as_json else "\n".join(links(kind, result)))
    return 0
