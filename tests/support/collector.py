"""A collector of OpenTelemetry's spans on a free port: what a process sends over OTLP/HTTP, by trace."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class Kept:
    """One span as it arrived; ids are hexadecimal."""

    service: str
    name: str
    id: str
    parent: str
    attributes: dict[str, Any]


@dataclass
class Collector:
    """Keeps every span it is sent."""

    traces: dict[str, list[Kept]] = field(default_factory=dict)
    port: int = 0
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/traces", self._on_spans)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def settings(self) -> dict[str, str]:
        """What a service must be told to send its spans here, twice a second."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "500",
        }

    async def until(self, trace_id: str, hops: set[tuple[str, str]], within: float = 30.0) -> list[Kept]:
        """Return the spans of a trace once these (service and name) are among them."""
        spans = self.traces.setdefault(trace_id, [])
        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(lambda: hops <= {(span.service, span.name) for span in spans})
        return spans

    async def _on_spans(self, request: web.Request) -> web.Response:
        told = ExportTraceServiceRequest.FromString(await request.read())
        async with self._arrived:
            for of_service in told.resource_spans:
                named = {one.key: one.value.string_value for one in of_service.resource.attributes}
                for scope in of_service.scope_spans:
                    for span in scope.spans:
                        self._keep(named.get("service.name", ""), span)
            self._arrived.notify_all()
        body = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=body, content_type="application/x-protobuf")

    def _keep(self, service: str, span: Any) -> None:
        attributes = {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}
        kept = Kept(service, span.name, span.span_id.hex(), span.parent_span_id.hex(), attributes)
        self.traces.setdefault(span.trace_id.hex(), []).append(kept)
