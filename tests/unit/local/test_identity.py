"""The development issuer: its tokens are checked by its public keys alone."""

import json
from pathlib import Path
from typing import Any

import jwt
import pytest

from sorami.local import identity
from sorami.local.errors import NotRunning
from sorami.local.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


def claims(home: Home, token: str) -> dict[str, Any]:
    jwk = json.loads((home.issuer / "jwks.json").read_text())["keys"][0]
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": jwk["kid"]}
    decoded: dict[str, Any] = jwt.decode(token, jwt.PyJWK(jwk).key, algorithms=["RS256"], issuer=identity.ISSUER)
    return decoded


def test_a_token_is_the_local_users_for_twelve_hours(home: Home) -> None:
    identity.make(home)
    content = claims(home, identity.token(home))
    assert content["sub"] == "user_local"
    assert content["exp"] - content["iat"] == 12 * 3600
    assert "use" not in content


def test_a_ticket_is_of_one_use_and_ten_minutes(home: Home) -> None:
    identity.make(home)
    first, second = (claims(home, identity.ticket(home)) for _ in range(2))
    assert first["use"] == "signin"
    assert first["exp"] - first["iat"] == 600
    assert first["jti"] != second["jti"]


def test_the_key_is_made_once_and_closed(home: Home) -> None:
    identity.make(home)
    key = home.issuer / "private.pem"
    before = key.read_text()
    identity.make(home)
    assert key.read_text() == before
    assert key.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in (home.issuer / "jwks.json").read_text()


def test_without_an_issuer_one_is_told_to_start(home: Home) -> None:
    with pytest.raises(NotRunning, match="make up"):
        identity.token(home)
