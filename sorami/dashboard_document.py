"""Grafana's dashboard, made of deploy/observability/dashboard.yaml."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 24
"""Columns of Grafana's grid."""
FIGURE_HEIGHT, PANEL_HEIGHT = 3, 6
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def dashboard(written: str) -> str:
    """Return the dashboard as JSON that Grafana imports; raises KeyError where a panel lacks something."""
    import yaml

    said = yaml.safe_load(written)
    panels = _row(said["figures"], 0, FIGURE_HEIGHT, _figure)
    for number, question in enumerate(said["questions"]):
        top = FIGURE_HEIGHT + number * (PANEL_HEIGHT + 1)
        panels.append(_heading(question["title"], top))
        panels += _row(question["panels"], top + 1, PANEL_HEIGHT, _graph)
    for number, panel in enumerate(panels, 1):
        panel["id"] = number
    whole = {
        "uid": "sorami",
        "title": said["title"],
        "tags": ["sorami"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "label": "Source", "type": "datasource", "query": "prometheus"}]
        },
        "annotations": {"list": [_alerts()]},
        "panels": panels,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _heading(title: str, top: int) -> dict[str, Any]:
    place = {"x": 0, "y": top, "w": WIDTH, "h": 1}
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": place}


def _row(panels: Sequence[Mapping[str, Any]], top: int, height: int, draw: Any) -> list[dict[str, Any]]:
    width = WIDTH // len(panels)
    places = [{"x": number * width, "y": top, "w": width, "h": height} for number in range(len(panels))]
    return [draw(panel) | {"gridPos": place} for panel, place in zip(panels, places, strict=True)]


def _panel(kind: str, panel: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    # A budget may be overdrawn; nothing else is below nothing.
    bounds = {"max": panel["max"]} if "max" in panel else {}
    bounds |= {} if panel["unit"] == "percentunit" and not bounds else {"min": 0}
    return {
        "type": kind,
        "title": panel["title"],
        "description": panel.get("help", ""),
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": panel["unit"], **bounds}, "overrides": []},
        "targets": [_target(chr(ord("A") + place), line) for place, line in enumerate(lines)],
    }


def _target(name: str, line: Mapping[str, Any]) -> dict[str, Any]:
    return {"refId": name, "datasource": SOURCE, "expr": line["expr"], "legendFormat": line.get("legend", "")}


def _figure(panel: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "area"}
    return _panel("stat", panel, [panel]) | {"options": shown}


def _graph(panel: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    return _panel("timeseries", panel, panel["lines"]) | {"options": shown}


def _alerts() -> dict[str, Any]:
    """Return marks where alerts of ours fire."""
    return {
        "name": "Alerts",
        "enable": True,
        "iconColor": "red",
        "datasource": SOURCE,
        "expr": 'ALERTS{alertname=~"Sorami.*", alertstate="firing"}',
        "titleFormat": "{{alertname}}",
    }
