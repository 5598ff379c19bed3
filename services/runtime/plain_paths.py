"""No text of the database can hold a NUL: an address with one names what is not there, whatever the route."""

from typing import Any

STAND_IN = "\ufffd"
"""Unicode's own sign for what cannot be shown; no id of ours holds it."""


class PlainPaths:
    """A layer of pure ASGI, so that no route needs to look at an id before it looks for it."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and "\x00" in scope["path"]:
            scope = {**scope, "path": scope["path"].replace("\x00", STAND_IN)}
        await self._app(scope, receive, send)
