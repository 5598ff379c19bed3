"""The seeds' Next.js routes in front of us, step by step as their documents have them; rows are written as Prisma does.

`authenticated` stands for Clerk's `auth()`: it says who sends a request. The database may be ours or one of its own.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
from aiohttp import web

from contracts.ids import new_id

WINDOW = timedelta(minutes=5)


@dataclass(frozen=True)
class Model:
    """What differs between the routes of images and of videos."""

    kind: str
    generations: str
    files: str
    count: str
    completed: str
    title: str
    message: str


MODELS = {
    "image": Model("image", "image_generations", "image_files", "numImages", "IMAGE_COMPLETED",
                   "🎨 Images générées avec succès", "{n} image(s) créée(s)."),
    "video": Model("video", "video_generations", "video_files", "numVideos", "VIDEO_COMPLETED",
                   "🎬 Vidéos générées avec succès", "{n} vidéo(s) créée(s)."),
}  # fmt: skip


@dataclass
class NextRoutes:
    """`src/app/api/{images,videos}/generate/route.ts` and `src/app/api/webhooks/{image,video}-completion/route.ts`."""

    database: str
    backend: str
    service_key: str
    window: timedelta = WINDOW
    port: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    _runner: web.AppRunner | None = None
    _pool: Any = None
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def start(self) -> None:
        self._pool = await asyncpg.create_pool(self.database, min_size=1, max_size=4)
        app = web.Application()
        for model in MODELS.values():
            app.router.add_post(f"/api/{model.kind}s/generate", self._route(self._generate, model))
            app.router.add_post(f"/api/webhooks/{model.kind}-completion", self._route(self._completion, model))
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        await self._pool.close()

    def _route(self, handle: Any, model: Model) -> Any:
        async def route(request: web.Request) -> web.Response:
            answer: web.Response = await handle(request, model)
            return answer

        return route

    async def _generate(self, request: web.Request, model: Model) -> web.Response:
        clerk_id = request.headers.get("authenticated")
        if not clerk_id:
            return web.json_response({"error": "Non authentifié"}, status=401)
        data = await request.json()
        # prisma.user.findUnique({ where: { clerkId: userId }, include: { organizationMemberships: { take: 1 } } })
        user = await self._pool.fetchrow('SELECT id FROM users WHERE "clerkId" = $1', clerk_id)
        generation_id = await self._create(model, user["id"], data)
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{self.backend}/api/{model.kind}s/generate",
                headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.service_key}"},
                json={**data, "job_id": generation_id, "user_id": clerk_id},
            ) as answer,
        ):
            said = await answer.json()
            if not answer.ok:
                return web.json_response({"error": said}, status=500)
        return web.json_response({"job_id": generation_id, "status": "PENDING"})

    async def _create(self, model: Model, author_id: str, data: dict[str, Any]) -> str:
        """prisma.{type}Generation.create: the client fills in the id, defaults and `updatedAt` itself."""
        now = datetime.utcnow().replace(microsecond=0)
        values: dict[str, Any] = {
            "id": new_id(),
            "prompt": data["prompt"],
            "model": data.get("model"),
            "authorId": author_id,
            "progress": 0,
            "createdAt": now,
        }
        if model.kind == "image":
            values |= {"numImages": data.get("num_images", 1), "size": data.get("size", "1024x1024"),
                       "format": data.get("format", "PNG"), "quality": data.get("quality", "standard")}  # fmt: skip
        if await self._has_updated_at(model):
            values["updatedAt"] = now
        names = ", ".join(f'"{name}"' for name in values)
        places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        await self._pool.execute(
            f"""INSERT INTO "public"."{model.generations}" ({names}, "status")
                VALUES ({places}, CAST('PENDING' AS "public"."ImageJobStatus")) RETURNING "id" """,
            *values.values(),
        )
        made: str = values["id"]
        return made

    async def _has_updated_at(self, model: Model) -> bool:
        found = await self._pool.fetchval(
            "SELECT 1 FROM information_schema.columns WHERE table_name = $1 AND column_name = 'updatedAt'",
            model.generations,
        )
        return found is not None

    async def _completion(self, request: web.Request, model: Model) -> web.Response:
        payload = await request.json()
        answer = await self._handle(payload, model)
        async with self._arrived:
            self.heard.append(payload)
            self.answered.append(answer.status)
            self._arrived.notify_all()
        return answer

    async def _handle(self, payload: dict[str, Any], model: Model) -> web.Response:
        # prisma.{type}Generation.findUnique({ where: { id: payload.job_id } })
        generation = await self._pool.fetchrow(
            f'SELECT id, "authorId", status::text, "completedAt" FROM {model.generations} WHERE id = $1',
            payload["job_id"],
        )
        if generation is None:
            return web.json_response({"error": "Generation non trouvée"}, status=404)
        now = datetime.utcnow()
        if generation["completedAt"] is not None and now - generation["completedAt"] < self.window:
            return web.json_response({"success": True, "message": "Déjà traité"})
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await self._write(connection, model, generation, payload, now)
        except asyncpg.PostgresError as error:
            return web.json_response({"error": str(error)}, status=500)
        return web.json_response({"success": True})

    async def _write(
        self, connection: Any, model: Model, generation: Any, payload: dict[str, Any], now: datetime
    ) -> None:
        table = model.generations
        if payload["status"] == "failed":
            await connection.execute(f"UPDATE {table} SET status = 'FAILED' WHERE id = $1", generation["id"])
            return
        if payload["status"] != "completed":
            await connection.execute(
                f"UPDATE {table} SET status = 'GENERATING', progress = $2 WHERE id = $1",
                generation["id"],
                payload["progress"],
            )
            return
        await connection.execute(
            f"""UPDATE {table} SET status = 'COMPLETED', progress = 100, "completedAt" = $2 WHERE id = $1""",
            generation["id"],
            now,
        )
        files = payload["data"][f"{model.kind}s"]
        for file in files:
            columns: dict[str, Any] = {
                "id": new_id(),
                "generationId": generation["id"],
                "filename": file["file_path"].split("/")[-1],
                "s3Key": file["file_path"],
                "fileUrl": file["url"],
                "fileSize": file["size_bytes"],
            }
            if model.kind == "image":
                width, height = (int(part) for part in file["dimensions"].split("x"))
                columns |= {"format": file["format"].upper(), "width": width, "height": height,
                            "aspectRatio": file["dimensions"]}  # fmt: skip
            names = ", ".join(f'"{name}"' for name in columns)
            places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
            await connection.execute(f"INSERT INTO {model.files} ({names}) VALUES ({places})", *columns.values())
        await connection.execute(
            """INSERT INTO notifications (id, "userId", type, title, message, metadata)
               VALUES ($1, $2, $3, $4, $5, jsonb_build_object('generationId', $6::text))""",
            new_id(),
            generation["authorId"],
            model.completed,
            model.title,
            model.message.format(n=len(files)),
            generation["id"],
        )

    async def hears(self, job_id: str, status: str, within: float = 30.0) -> dict[str, Any]:
        """Return what was posted of this status about a job."""

        def found() -> dict[str, Any] | None:
            return next((one for one in self.heard if (one["job_id"], one["status"]) == (job_id, status)), None)

        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(lambda: found() is not None)
        there = found()
        assert there is not None
        return there
