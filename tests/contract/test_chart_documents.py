"""What the chart says of settings, topics and its values is what the code says."""

import re

import pytest

from sorami.chart_documents import CHART, chart_documents, described_values, settings_by_name

VALUES = (CHART / "values.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(chart_documents()))
def test_a_file_of_the_chart_is_what_the_code_makes(name: str) -> None:
    committed = (CHART / name).read_text(encoding="utf-8")
    assert committed == chart_documents()[name], "run `make contracts` and commit what it wrote"


def test_every_value_is_described() -> None:
    described = {path for path, _, _ in described_values(VALUES)}
    undescribed: list[str] = []
    path: list[str] = []
    inside: int | None = None
    for line in VALUES.splitlines():
        if key := re.match(r"( *)([A-Za-z0-9]+):( .*)?$", line):
            depth = len(key[1]) // 2
            if inside is not None and depth > inside:
                continue
            inside = None
            path = [*path[:depth], key[2]]
            name = ".".join(path)
            if name in described:
                inside = depth
            elif key[3]:
                undescribed.append(name)
    assert undescribed == []


def test_secrets_are_told_from_other_settings() -> None:
    names = settings_by_name()
    assert names["GEMINI_API_KEY"] == (True, ["gateway", "generator"])
    assert names["SORAMI_COMFYUI_HEADERS"][0]
    assert names["SORAMI_JWT_ISSUER"] == (False, ["gateway", "notifier"])
    assert "DATABASE_URL" not in names
