"""Which providers the settings enable, and what settings are refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.models import BUILT_IN, Model, ModelRetired, Models, choose_model
from contracts.offers import offers as offered
from contracts.request_templates import check_template, fill
from contracts.workflows import read_workflows
from services.generator.provider_settings import ProviderSettings
from services.generator.providers.remote.registry import configured
from services.generator.settings import GeneratorSettings
from services.runtime.json_folder import read_json_folder
from tests.support.providers.fake import KEY

EVERYTHING = {
    "GEMINI_API_KEY": KEY,
    "OPENAI_API_KEY": KEY,
    "SORAMI_COMFYUI_URL": "http://gpu:8188",
    "SORAMI_COMFYUI_HEADERS": f"X-Proxy-Key: {KEY}; X-Team: art",
    "FAL_KEY": KEY,
    "REPLICATE_API_TOKEN": KEY,
    "BFL_API_KEY": KEY,
    "BACKEND_URL": "http://localhost:5000",
    "SORAMI_BACKEND_TOKEN": KEY,
}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read the settings from these lines of an environment and nothing else."""
    for field in ProviderSettings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)

    def read(**environment: str) -> ProviderSettings:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return ProviderSettings()

    return read


def catalogue(settings: ProviderSettings) -> Models:
    return offered(settings, read_workflows(read_json_folder(settings.comfyui_workflows)))


def offers(settings: ProviderSettings) -> dict[str, Model]:
    """What the settings add to our own models."""
    return {name: model for name, model in catalogue(settings).known.items() if name not in BUILT_IN.known}


def test_nothing_is_enabled_without_its_key_or_address(settings: Any) -> None:
    assert configured(settings()) == {}
    assert offers(settings()) == {}


def test_an_empty_key_is_no_key(settings: Any) -> None:
    assert configured(settings(GEMINI_API_KEY="", FAL_KEY="  ")) == {}


async def test_every_provider_is_enabled_by_its_own(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "film.json").write_text('{"kind": "video", "graph": {"1": {"class_type": "A", "inputs": {}}}}')
    given = settings(**EVERYTHING, SORAMI_COMFYUI_WORKFLOWS=str(tmp_path))
    providers = configured(given)
    assert sorted(providers) == ["bfl", "comfyui", "fal", "flask", "gemini", "openai", "replicate", "veo"]
    assert {offer.provider for offer in offers(given).values()} == set(providers)
    assert offers(given)["film"] == Model("film", "comfyui", ("video",), at_once=1)
    assert offers(given)["flux-2-pro"].seed
    assert offers(given)["fal-ai/flux/dev"].at_once is None
    assert offers(given)["flask-backend"].kinds == ("image", "video")
    assert KEY not in repr(given) + repr([vars(provider) for provider in providers.values()])
    for provider in providers.values():
        await provider.close()


def test_a_line_end_of_a_file_is_no_part_of_a_key(settings: Any) -> None:
    assert settings(FAL_KEY=f" {KEY}\n").fal_key.get_secret_value() == KEY


async def test_a_server_of_one_s_own_needs_no_key(settings: Any) -> None:
    given = settings(SORAMI_OPENAI_URL="http://localai:8080/v1", SORAMI_OPENAI_MODELS="sd, flux")
    assert list(configured(given)) == ["openai"]
    assert list(offers(given)) == ["sd", "flux"]


def test_models_are_names_or_json(settings: Any) -> None:
    given = settings(
        FAL_KEY=KEY,
        SORAMI_FAL_MODELS='{"wan": {"id": "fal-ai/wan", "kind": "video", "input": {"text": "{{prompt}}"}}}',
        SORAMI_REPLICATE_MODELS="a/b, c/d:e",
    )
    assert offers(given) == {"wan": Model("wan", "fal", ("video",), at_once=1)}
    assert [one.id for one in given.replicate_models.values()] == ["a/b", "c/d:e"]


@pytest.mark.parametrize(
    "environment",
    [
        {"SORAMI_FAL_MODELS": "{"},
        {"SORAMI_FAL_MODELS": '{"x": {"id": "y", "input": {"a": "{{wishes}}"}}}'},
        {"SORAMI_FAL_MODELS": '{"x": {"id": "y", "kind": "song"}}'},
        {"SORAMI_GEMINI_URL": "ftp://x"},
        {"SORAMI_GEMINI_URL": "https://user:pw@x"},
        {"SORAMI_COMFYUI_URL": "http://gpu:8188"},
        {"SORAMI_COMFYUI_HEADERS": "no colon"},
        {"SORAMI_REPLICATE_WAIT_SECONDS": "61"},
        {"FAL_KEY": "a\nb"},
        {"FAL_KEY": "clé"},
    ],
)
def test_a_wrong_setting_is_refused(settings: Any, environment: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        settings(**environment)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9006", "http://localhost:9006/api/images/generate"])
def test_the_backend_is_not_ourselves(settings: Any, address: str) -> None:
    settings()
    with pytest.raises(ValidationError, match="own address"):
        GeneratorSettings(
            database_url="postgresql://x/y",
            public_url="http://127.0.0.1:9006",
            backend_url=address,
        )


def test_a_field_alone_keeps_its_type_and_an_absent_one_leaves_nothing() -> None:
    template = {
        "a": "{{count}}",
        "b": "x{{count}}y{{style}}",
        "c": "{{seed}}",
        "d": ["{{seed}}", "{{size}}"],
        "e": None,
    }
    filled = fill(template, {"count": 2, "size": "1x1", "prompt": "{{count}}"})
    assert filled == {"a": 2, "b": "x2y", "d": ["1x1"], "e": None}


def test_what_stands_in_a_prompt_is_no_template() -> None:
    assert fill({"a": "{{prompt}}!"}, {"prompt": "{{job_id}}", "job_id": "x"}) == {"a": "{{job_id}}!"}


def test_a_field_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="wishes"):
        check_template([{"a": "{{wishes}}"}])


def test_a_kind_has_the_default_that_the_settings_name(settings: Any) -> None:
    models = catalogue(settings(FAL_KEY=KEY, SORAMI_DEFAULT_IMAGE_MODEL="fal-ai/flux/dev"))
    assert choose_model("image", None, models).provider == "fal"
    assert choose_model("video", None, models).provider == "procedural"


def test_a_default_that_nobody_renders_is_refused(settings: Any) -> None:
    with pytest.raises(ValueError, match="SORAMI_DEFAULT_VIDEO_MODEL"):
        catalogue(settings(FAL_KEY=KEY, SORAMI_DEFAULT_VIDEO_MODEL="fal-ai/flux/dev"))


def test_a_retired_model_names_its_successor(settings: Any) -> None:
    models = catalogue(settings(GEMINI_API_KEY=KEY))
    with pytest.raises(ModelRetired, match=r"gemini-3\.1-flash-image") as raised:
        choose_model("image", "gemini-2.5-flash-image", models)
    assert raised.value.successor in models.known


def test_a_retired_model_that_is_configured_all_the_same_is_rendered(settings: Any) -> None:
    models = catalogue(settings(GEMINI_API_KEY=KEY, SORAMI_GEMINI_MODELS="gemini-2.5-flash-image"))
    assert choose_model("image", "gemini-2.5-flash-image", models).provider == "gemini"


def test_several_defaults_are_an_order_and_fallbacks_and_prices_are_the_operators(settings: Any) -> None:
    models = catalogue(
        settings(
            FAL_KEY=KEY,
            SORAMI_DEFAULT_IMAGE_MODEL="fal-ai/flux/dev, procedural-1",
            SORAMI_FALLBACKS='{"fal-ai/flux/dev": ["instant"]}',
            SORAMI_PRICES='{"fal-ai/flux/dev": {"amount": 0.025}, "procedural-1": {"amount": "0.001", "unit": "job"}}',
        )
    )
    assert models.orders == {"image": ("fal-ai/flux/dev", "procedural-1"), "video": ("procedural-1",)}
    assert models.fallbacks == {"fal-ai/flux/dev": ["instant"]}
    prices = {name: model.price for name, model in models.known.items() if model.price}
    assert (str(prices["fal-ai/flux/dev"].amount), prices["fal-ai/flux/dev"].unit) == ("0.025", "medium")
    assert (str(prices["procedural-1"].amount), prices["procedural-1"].unit) == ("0.001", "job")


def test_what_a_templated_model_can_do_is_the_operators_to_say(settings: Any) -> None:
    able = {"seconds": [5], "ratios": ["16:9"], "fps": [16], "max_count": 1}
    told = json.dumps({"wan": {"id": "fal-ai/wan", "kind": "video", **able}})
    model = catalogue(settings(FAL_KEY=KEY, SORAMI_FAL_MODELS=told)).known["wan"]
    assert (model.seconds, model.ratios, model.fps, model.max_count) == ((5,), ("16:9",), (16,), 1)


@pytest.mark.parametrize(
    "fallbacks", ['{"nobody": ["instant"]}', '{"instant": ["nobody"]}', '{"fal-ai/flux/dev": ["veo"]}']
)
def test_a_fallback_that_nobody_renders_is_refused(settings: Any, fallbacks: str) -> None:
    with pytest.raises(ValueError, match="SORAMI_FALLBACKS"):
        catalogue(settings(FAL_KEY=KEY, SORAMI_FALLBACKS=fallbacks))
