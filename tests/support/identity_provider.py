"""An OpenID Connect provider for tests: keys, discovery, codes with PKCE; it can be counted, frozen and taken away."""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

APPLICATION = "https://app.example"
CLIENT = "sorami-page"


def new_rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class IdentityProvider:
    """Answers on a free port; every public attribute may be changed by a test at any time."""

    key: rsa.RSAPrivateKey = field(default_factory=new_rsa_key)
    key_id: str = "k1"
    subject: str = "user_at_provider"
    client_secret: str | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    """Added to every ID token; None leaves a claim out."""
    refuses: str | None = None
    """The error that /authorize answers with."""
    frozen: asyncio.Event | None = None
    """While set to an event, the keys are answered when it happens."""
    asked_for_keys: asyncio.Event = field(default_factory=asyncio.Event)
    key_fetches: int = 0
    token_requests: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _runner: web.AppRunner | None = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def jwks_url(self) -> str:
        return f"{self.issuer}/.well-known/jwks.json"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/.well-known/jwks.json", self._jwks)
        app.router.add_get("/.well-known/openid-configuration", self._configuration)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def rotate(self, key_id: str) -> rsa.RSAPrivateKey:
        """Publish another key in place of the old one, and return the old one."""
        old, self.key, self.key_id = self.key, new_rsa_key(), key_id
        return old

    def told(self, **claims: Any) -> dict[str, Any]:
        """Return the claims of a session token; None leaves one out."""
        now = int(time.time())
        usual = {"iss": self.issuer, "sub": "user_1", "iat": now, "nbf": now, "exp": now + 60, "azp": APPLICATION}
        return {name: value for name, value in (usual | claims).items() if value is not None}

    def sign(self, *, key: Any = None, key_id: str | None = None, **claims: Any) -> str:
        return jwt.encode(self.told(**claims), key or self.key, "RS256", {"kid": key_id or self.key_id})

    async def _jwks(self, _: web.Request) -> web.Response:
        self.key_fetches += 1
        self.asked_for_keys.set()
        if self.frozen is not None:
            await self.frozen.wait()
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return web.json_response({"keys": [public | {"kid": self.key_id, "use": "sig"}]})

    async def _configuration(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": self.jwks_url,
            }
        )

    async def _authorize(self, request: web.Request) -> web.Response:
        """Answer as a provider does once the person has typed a password: back with a code, or with an error."""
        asked = dict(request.query)
        if self.refuses:
            answer = {"error": self.refuses, "state": asked["state"]}
        else:
            code = secrets.token_urlsafe(16)
            self._codes[code] = asked
            answer = {"code": code, "state": asked["state"]}
        return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(answer)}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.token_requests.append(form)
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or not self._proven(asked, form, request):
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = {
            "sub": self.subject,
            "aud": CLIENT,
            "nonce": asked.get("nonce"),
            "azp": None,
            "nbf": None,
        } | self.claims
        return web.json_response({"id_token": self.sign(**claims), "access_token": "x", "token_type": "Bearer"})

    def _proven(self, asked: dict[str, str], form: dict[str, str], request: web.Request) -> bool:
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        client = form.get("client_id")
        if self.client_secret is not None:
            wanted = base64.b64encode(f"{CLIENT}:{self.client_secret}".encode()).decode()
            client = CLIENT if request.headers.get("Authorization") == f"Basic {wanted}" else None
        return (
            asked.get("code_challenge_method") == "S256"
            and asked.get("code_challenge") == challenge
            and asked.get("redirect_uri") == form.get("redirect_uri")
            and client == CLIENT
        )
