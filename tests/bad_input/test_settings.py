"""Rows E2 to E7: a wrong setting is one line that names it and what is allowed, and never shows its value."""

import os

import pytest

from services.gateway.settings import GatewaySettings
from services.generator.settings import GeneratorSettings
from services.notifier.settings import NotifierSettings
from services.runtime.setting_names import misspelt
from services.runtime.settings import RuntimeSettings, load_settings

READ: dict[str, type[RuntimeSettings]] = {
    "gateway": GatewaySettings,
    "generator": GeneratorSettings,
    "notifier": NotifierSettings,
}
SEEDS_OWN = "sorami-webhook-secret-key-2025"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SORAMI_", "KAFKA_", "CLERK_", "WEBHOOK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", "postgresql://h/d")


def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, service: str, **given: str) -> str:
    """Return what a service says of wrong settings."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as end:
        load_settings(READ[service], service)
    assert end.value.code == 78
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        pytest.param("SORAMI_JOB_PER_MINUTE", "SORAMI_JOBS_PER_MINUTE", id="E3-a-letter-less"),
        pytest.param("SORAMI_RESTORE_DAY", "SORAMI_RESTORE_DAYS", id="E3-singular"),
        pytest.param("SORAMI_COR_ORIGINS", "SORAMI_CORS_ORIGINS", id="E3-cors"),
        pytest.param("SORAMI_LEASE_SECOND", "SORAMI_LEASE_SECONDS", id="E3-of-another-service"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    said = refused(capsys, monkeypatch, "gateway", **{name: "s3cret"})
    assert said == f"config error: {name}: no setting has this name; is {meant} meant?\n"


def test_E3_settings_of_every_service_and_names_of_others_are_no_slips() -> None:
    names = ("SORAMI_LEASE_SECONDS", "SORAMI_URL", "SORAMI_TOKEN", "SORAMI_HOME", "SORAMI_FOR_SOMEBODY_ELSE", "PATH")
    assert misspelt(dict.fromkeys(names, "x")) == {}


@pytest.mark.parametrize("service", ["gateway", "notifier"])
@pytest.mark.parametrize("secret", [pytest.param(SEEDS_OWN, id="E4-seeds"), pytest.param("changeme", id="E4-short")])
def test_a_published_or_short_secret_is_refused_in_production(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, service: str, secret: str
) -> None:
    said = refused(capsys, monkeypatch, service, ENVIRONMENT="production", WEBHOOK_SECRET=secret)
    assert said.startswith("config error: WEBHOOK_SECRET: is known to others or too short")
    assert secret not in said
    assert len(said.splitlines()) == 1


def test_E4_a_secret_from_a_file_loses_its_line_end_and_an_empty_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", "0123456789abcdef\n")
    read = load_settings(GatewaySettings, "gateway").webhook_secret
    assert read is not None
    assert read.get_secret_value() == "0123456789abcdef"
    monkeypatch.setenv("WEBHOOK_SECRET", "")
    assert load_settings(GatewaySettings, "gateway").webhook_secret is None


@pytest.mark.parametrize("value", ["-1", "0", "10MB", "1e3x", str(2**63), "ninety"], ids=lambda value: f"E5-{value}")
@pytest.mark.parametrize(("service", "name"), [("gateway", "SORAMI_PORT"), ("generator", "SORAMI_LEASE_SECONDS")])
def test_a_number_that_cannot_be_is_named_with_its_bounds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, service: str, name: str, value: str
) -> None:
    said = refused(capsys, monkeypatch, service, **{name: value})
    assert said.startswith(f"config error: {name}: Input should be")
    assert value == "0" or value not in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("servers", ["a", "a:99999", "a:0", ":9092", "a:9092,b"], ids=lambda text: f"E2-{text}")
def test_an_address_without_port_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, servers: str
) -> None:
    said = refused(capsys, monkeypatch, "notifier", KAFKA_BOOTSTRAP_SERVERS=servers)
    assert said == "config error: KAFKA_BOOTSTRAP_SERVERS: each address must be host:port, separated by commas\n"


def test_E2_a_list_is_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "a:9092, b:9092")
    assert load_settings(NotifierSettings, "notifier").kafka_bootstrap_servers == ["a:9092", "b:9092"]


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        pytest.param("clerk.example", "must be an address", id="E7-no-scheme"),
        pytest.param("https://clerk.example/path", "must be an address", id="E7-path"),
        pytest.param("https://user:pw@clerk.example", "must be an address", id="E7-user"),
        pytest.param("http://clerk.example", "must begin with https://", id="E7-http"),
    ],
)
def test_an_issuer_that_cannot_be_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, issuer: str, words: str
) -> None:
    said = refused(capsys, monkeypatch, "gateway", CLERK_ISSUER=issuer)
    assert said.startswith(f"config error: CLERK_ISSUER: {words}")
    assert issuer not in said
