"""The registry of models and the providers that this generator starts name each other."""

from contracts.kinds import KINDS
from contracts.models import DEFAULT_MODEL, MODELS, choose_model
from services.generator.providers.local import local_providers
from services.generator.render_pool import RenderPool

PROVIDERS = set(local_providers(RenderPool(1)))


def test_every_model_has_a_provider_and_every_provider_a_model() -> None:
    assert {model.provider for model in MODELS} == PROVIDERS


def test_every_kind_has_a_default_that_renders_it() -> None:
    assert set(DEFAULT_MODEL) == set(KINDS)
    for kind in KINDS:
        assert kind in choose_model(kind, None).kinds
