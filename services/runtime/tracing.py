"""One trace follows a job through all hops (W3C trace context); OpenTelemetry keeps its spans where that is set up.

Each hop's span stands below the request's, whose context every event carries: one tree a job.
"""

import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

SCOPE_KEY = "sorami.traceparent"
"""Where the HTTP layer leaves the context of a request's own span."""

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_tracer: "Tracer | None" = None
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def continue_trace(traceparent: str | None) -> str:
    """Return the trace context of a new span in the caller's trace, or in a new one when none was sent."""
    span = secrets.token_hex(8)
    found = _TRACEPARENT.fullmatch(traceparent or "")
    if found is None:
        return f"00-{secrets.token_hex(16)}-{span}-01"
    return f"00-{found[1]}-{span}-{found[3]}"


def trace_id(traceparent: str | None) -> str | None:
    """Return the id of the caller's trace; None when none was sent."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return found[1] if found else None


def trace_of(request: Any) -> str:
    """Return the context that what a request causes goes on with."""
    known: str | None = request.scope.get(SCOPE_KEY)
    return known or continue_trace(request.headers.get("traceparent"))


def start_tracing(service: str, version: str, environ: Mapping[str, str] = os.environ) -> Callable[[], None]:
    """Keep spans when the standard OTEL_* variables name an exporter; returns what sends the last of them.

    Raises ImportError when they do and the extra `telemetry` is not installed.
    """
    global _tracer  # noqa: PLW0603 - one a process, as the libraries have it
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if not any(environ.get(name) for name in endpoints) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return lambda: None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": f"sorami-{service}", "service.version": version})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("sorami", version)
    return provider.shutdown


def is_tracing() -> bool:
    """Tell whether spans are kept."""
    return _tracer is not None


@contextmanager
def span(
    name: str, parent: str | None = None, *, kind: str = "internal", attributes: Mapping[str, Any] | None = None
) -> Iterator[str | None]:
    """Keep a span below `parent`, or below the one that is open here; yields the context of whatever is kept.

    Where nothing is kept that is the parent's own. Logs written inside carry `trace_id`.
    """
    above = parent or _current.get()
    kept = None if _tracer is None or above is None else _start(name, above, kind, attributes or {})
    own = above if kept is None else _written(kept)
    token = _current.set(own)
    try:
        yield own
    except BaseException as error:
        if kept is not None:
            _mark_failed(kept, error)
        raise
    finally:
        _current.reset(token)
        if kept is not None:
            kept.end()


def name_trace(_: Any, __: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Give a log record the id of the trace it belongs to; a processor of structlog's."""
    found = trace_id(_current.get())
    if found is not None:
        record.setdefault("trace_id", found)
    return record


def span_of_request(parent: str | None, method: str) -> "RequestSpan | None":
    """Begin the span of an HTTP request; None where nothing is kept."""
    return RequestSpan(_start(method, parent, "server", {"http.request.method": method})) if _tracer else None


class RequestSpan:
    """The span of an HTTP request; `context` is what all that it causes stands below."""

    def __init__(self, kept: Any) -> None:
        self._kept = kept
        self.context = _written(kept)

    def end(self, method: str, route: str, status: int) -> None:
        """End the span once the answer begins: a stream may last for days."""
        self._kept.update_name(f"{method} {route}")
        self._kept.set_attributes({"http.route": route, "http.response.status_code": status})
        if status >= 500:
            _mark_failed(self._kept, None)
        self._kept.end()


def keep_spans(name: str, handled: Iterable[tuple[str | None, str]], began: float, *, kind: str) -> None:
    """Keep a span for each of those that were handled together, from `began` (Unix seconds) until now.

    Each is told as the context it stands below and its key, which is a job's id or a user's.
    """
    if _tracer is None:
        return
    now = time.time_ns()
    for parent, key in handled:
        if trace_id(parent) is not None:
            _start(name, parent, kind, {"sorami.key": key}, began=int(began * 1e9)).end(now)


def _start(name: str, parent: str | None, kind: str, attributes: Mapping[str, Any], began: int | None = None) -> Any:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    if _tracer is None:
        raise RuntimeError("tracing was not started")
    above = TraceContextTextMapPropagator().extract({"traceparent": parent} if parent else {})
    given = {key: value for key, value in attributes.items() if value is not None}
    return _tracer.start_span(name, above, kind=SpanKind[kind.upper()], attributes=given, start_time=began)


def _written(kept: Any) -> str:
    context = kept.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _mark_failed(kept: Any, error: BaseException | None) -> None:
    from opentelemetry.trace import StatusCode

    # The type alone: what an error says may hold a prompt or an address.
    kept.set_status(StatusCode.ERROR, type(error).__name__ if error else None)
