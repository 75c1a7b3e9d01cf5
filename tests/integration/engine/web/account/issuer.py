"""A fake OpenID provider as an httpx transport: signs real tokens, checks the PKCE challenge, accepts each code once.
The fields of ``Issuer`` make it return wrong data or fail.

    issuer = Issuer()
    provider = issuer.provider()                passed to the application
    path = issuer.log_in(leaving, "an-01")      path of the redirect back, for the authorization URL ``leaving``
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from ground.office import NOW
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from engine.accounts.oidc import Provider

ISSUER, CLIENT, SECRET = "https://dangnhap.tinh.example", "dondoc", "a secret of two"
KEYS = {name: ECKey.generate_key("P-256", {"kid": name, "use": "sig"}) for name in ("k1", "k2", "thief")}


@dataclass
class Issuer:
    """``key``: key id in the token header; ``signs_with``: the key really used. ``claims`` override those of every ID
    token (None: omitted); ``told``: the userinfo response; ``down``: failures by path; ``replays``: reuse codes."""

    claims: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    key: str = "k1"
    signs_with: str = ""
    published: tuple[str, ...] = ("k1",)
    told: dict[str, Any] | None = None
    down: dict[str, httpx.Response | Exception] = field(default_factory=dict)
    unsigned: bool = False
    by_secret: bool = False
    replays: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def provider(self, issuer: str = ISSUER, secret: str = SECRET) -> Provider:
        return Provider(issuer, CLIENT, secret, "http://127.0.0.1:8188", httpx.MockTransport(self.answer))

    def log_in(self, leaving: str, sub: str = "an-01", **more: str) -> str:
        """Log in at the provider; returns the path that the user is redirected to."""
        asked = dict(parse_qsl(urlsplit(leaving).query))
        code = f"code{len(self.codes)}"
        self.codes[code] = asked | {"sub": sub}
        back = urlsplit(asked["redirect_uri"]).path
        return f"{back}?{urlencode({'code': code, 'state': asked['state']} | more)}"

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        if path in self.down:
            said = self.down[path]
            if isinstance(said, Exception):
                raise said
            return said
        if path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self._published())
        if path == "/keys":
            keys = [KEYS[name].as_dict(private=False) for name in self.published]
            return httpx.Response(200, json={"keys": keys})
        if path == "/userinfo":
            held = request.headers["authorization"] == "Bearer opens userinfo"
            return httpx.Response(200 if held else 401, json=self.told)
        return self._token(request)

    def _published(self) -> dict[str, Any]:
        known = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/log-in?tenant=1",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }
        userinfo = {"userinfo_endpoint": f"{ISSUER}/userinfo"} if self.told is not None else {}
        return known | userinfo | self.document

    def _token(self, request: httpx.Request) -> httpx.Response:
        sent = dict(parse_qsl(request.content.decode()))
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        post = sent.get("client_id") == CLIENT and sent.get("client_secret") == SECRET
        if request.headers.get("authorization") != basic and not post:
            return httpx.Response(401, json={"error": "invalid_client"})
        asked = self.codes.get(sent["code"]) if self.replays else self.codes.pop(sent["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=")
        wanted = {"code_challenge": challenge.decode(), "redirect_uri": sent["redirect_uri"]}
        if asked is None or not wanted.items() <= asked.items():
            return httpx.Response(400, json={"error": "invalid_grant"})
        token = {"access_token": "opens userinfo", "token_type": "Bearer", "id_token": self._signed(asked)}
        return httpx.Response(200, json=token)

    def _signed(self, asked: dict[str, str]) -> str:
        now = int(NOW.timestamp())
        usual = {
            "iss": ISSUER,
            "aud": CLIENT,
            "sub": asked["sub"],
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "email": "coordinator@huyen-b.example",
            "email_verified": True,
        }
        claims = {name: value for name, value in (usual | self.claims).items() if value is not None}
        if self.unsigned:
            parts = ({"alg": "none"}, claims)
            return (
                ".".join(base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts)
                + "."
            )
        if self.by_secret:
            return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET.ljust(32, "x")), algorithms=["HS256"])
        return jwt.encode({"alg": "ES256", "kid": self.key}, claims, KEYS[self.signs_with or self.key])
