"""The reference of metrics (docs/operating/metrics.md), made from the code."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from prometheus_client.metrics import MetricWrapperBase

OF_ALL = "services.runtime.metrics"
SERVICES = ("gateway", "generator", "persistence", "notifier")
SUFFIX = {"counter": "_total"}
HEAD = """# Metrics

Made by `make contracts` from `services/*/metrics.py`. Each process answers at `/metrics` of its internal port, in base
units; no label names a person, a job or an address. What is *the same from every …* is taken by `max`, all else by
`sum`. Beside them stand the usual `process_…` of each process. Scraping: [README](README.md#prometheus).
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One metric as Prometheus shows it; a histogram's name is without `_bucket`, `_count` and `_sum`."""

    name: str
    kind: str
    labels: Sequence[str]
    meaning: str


def metrics_of(module: ModuleType) -> Iterator[Told]:
    """Return the metrics that a module declares, in its order."""
    for value in vars(module).values():
        if isinstance(value, MetricWrapperBase) and (module.__name__ == OF_ALL or not _is_of_all(value)):
            (described,) = value.describe()
            name = described.name + SUFFIX.get(described.type, "")
            yield Told(name, described.type, tuple(value._labelnames), described.documentation)


def all_metrics() -> list[Told]:
    """Return every metric of every service."""
    return [told for module in _modules() for told in metrics_of(module)]


def metrics_document() -> str:
    """Return the reference as Markdown."""
    parts = [HEAD]
    for module in _modules():
        title = "Every process" if module.__name__ == OF_ALL else module.__name__.split(".")[1].capitalize()
        parts.append(f"## {title}\n\n| name | labels | kind | meaning |\n|---|---|---|---|")
        for told in metrics_of(module):
            labels = ", ".join(f"`{label}`" for label in told.labels)
            parts[-1] += f"\n| `{told.name}` | {labels} | {told.kind} | {told.meaning} |"
        parts[-1] += "\n"
    return "\n".join(parts)


def _modules() -> list[ModuleType]:
    return [import_module(name) for name in (OF_ALL, *(f"services.{service}.metrics" for service in SERVICES))]


def _is_of_all(metric: MetricWrapperBase) -> bool:
    return any(metric is value for value in vars(import_module(OF_ALL)).values())
