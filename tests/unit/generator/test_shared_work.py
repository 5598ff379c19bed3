"""Which tasks a generator runs when several share the work."""

import pytest

from services.generator.settings import GeneratorSettings


@pytest.mark.parametrize(
    ("named", "runs"),
    [
        ("", {"gemini", "veo", "instant"}),
        ("gemini,veo", {"gemini", "veo"}),
        ("-gemini, -veo", {"instant"}),
    ],
)
def test_a_generator_runs_the_named_providers_or_all_but_those(named: str, runs: set[str]) -> None:
    given = {"DATABASE_URL": "postgresql://h/d", "SORAMI_GENERATOR_PROVIDERS": named}
    settings = GeneratorSettings.model_validate(given)
    assert {provider for provider in ("gemini", "veo", "instant") if settings.runs(provider)} == runs
