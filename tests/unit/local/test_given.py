"""Anything given is used, nothing given is started; our own addresses are not "given"."""

from pathlib import Path

import pytest

from sorami.local import given
from sorami.local.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


def test_given_addresses_are_used(home: Home, tmp_path: Path) -> None:
    asked = given.read(
        home, {"DATABASE_URL": "postgres://db/x", "KAFKA_BOOTSTRAP_SERVERS": "k1:9092,k2:9092"}, tmp_path
    )
    assert asked.database == "postgres://db/x"
    assert asked.broker == "k1:9092,k2:9092"
    assert asked.objects is None


def test_an_empty_setting_is_not_given(home: Home, tmp_path: Path) -> None:
    assert given.read(home, {"DATABASE_URL": ""}, tmp_path).database is None


def test_the_environment_wins_over_dotenv(home: Home, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('S3_ENDPOINT_URL="http://file:1"\nexport WEBHOOK_URL=http://app # mine\n')
    asked = given.read(home, {"S3_ENDPOINT_URL": "http://shell:2"}, tmp_path)
    assert asked.objects == "http://shell:2"
    assert asked.settings["WEBHOOK_URL"] == "http://app"


def test_addresses_of_this_folder_switch_nothing_off(home: Home, tmp_path: Path) -> None:
    before_a_move = {
        "DATABASE_URL": "postgresql://postgres:x@127.0.0.1:1/sorami",
        "S3_ENDPOINT_URL": "http://127.0.0.1:2",
    }
    given.remember_own(home, before_a_move)
    given.remember_own(home, {"DATABASE_URL": "postgresql://postgres:x@127.0.0.1:3/sorami"})
    asked = given.read(home, {**before_a_move, "KAFKA_BOOTSTRAP_SERVERS": "elsewhere:9092"}, tmp_path)
    assert (asked.database, asked.objects, asked.broker) == (None, None, "elsewhere:9092")


def test_addresses_of_another_folder_are_given(home: Home, tmp_path: Path) -> None:
    given.remember_own(home, {"DATABASE_URL": "postgresql://postgres:x@127.0.0.1:1/sorami"})
    other = Home(tmp_path / "other")
    other.make()
    asked = given.read(other, {"DATABASE_URL": "postgresql://postgres:x@127.0.0.1:1/sorami"}, tmp_path)
    assert asked.database == "postgresql://postgres:x@127.0.0.1:1/sorami"
