"""Weights and caps as an operator writes them."""

import pytest

from contracts.sharing import Shares, read_caps, read_weights
from services.generator.settings import GeneratorSettings
from services.runtime.settings import load_settings


def test_a_subject_of_its_own_comes_before_its_sort() -> None:
    shares = Shares(weights=read_weights(["user=2", "user:u1=0.5", "organization:o1=4"]))
    assert [shares.weight("user", name) for name in ("u1", "u2")] == [0.5, 2.0]
    assert [shares.weight("organization", name) for name in ("o1", "o2")] == [4.0, 1.0]


def test_names_may_hold_what_model_ids_hold() -> None:
    assert read_caps(["model:fal-ai/flux:1=2", "model:a=b=3"]) == {"model:fal-ai/flux:1": 2, "model:a=b": 3}


@pytest.mark.parametrize(
    "text", ["user", "user=0", "user=1.5", "user:=1", "queue:a=1", "=1", "user=-1", "user=9999999"]
)
def test_a_cap_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="each"):
        read_caps([text])


@pytest.mark.parametrize("text", ["provider:veo=2", "user=0", "user=nan", "user=inf", "user=101", "user=x"])
def test_a_weight_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="each"):
        read_weights([text])


def test_a_wrong_setting_says_what_is_wrong_with_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://h/db")
    monkeypatch.setenv("SORAMI_CAPS", "provider:veo=10, users=3")
    with pytest.raises(SystemExit) as stopped:
        load_settings(GeneratorSettings, "generator")
    assert stopped.value.code == 78
    assert capsys.readouterr().err.startswith("config error: SORAMI_CAPS: each must be provider or model or")
    monkeypatch.setenv("SORAMI_CAPS", "provider:veo=10, user=3")
    assert load_settings(GeneratorSettings, "generator").caps == {"provider:veo": 10, "user": 3}
