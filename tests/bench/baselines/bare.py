"""A Starlette application that checks a body and keeps nothing: the ceiling of HTTP in Python."""

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class Wanted(msgspec.Struct):
    prompt: str
    model: str = "instant"


async def generate(request: Request) -> Response:
    wanted = msgspec.json.decode(await request.body(), type=Wanted)
    return Response(msgspec.json.encode({"job_id": "none", "prompt": wanted.prompt}), 202, {}, "application/json")


app = Starlette(routes=[Route("/api/images/generate", generate, methods=["POST"])])
