"""Signing in by the province's single sign-on: OpenID Connect, authorisation code with PKCE, state and nonce.

Two steps with the reader's browser between them: ``begin`` says where to send it and what to remember, ``proven`` reads
what it brought back. Nothing that comes back is believed before the ID token's signature, issuer, audience, time and
nonce were checked (OpenID Connect Core 3.1.3.7, RFC 9207, RFC 9700). Who may come in is ``engine.accounts.accounts``'s
to say.

Authlib and joserfc are imported when the first reader signs in so: they take a third of a second.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hmac import compare_digest
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlmodel import Session

from config.settings import Settings, is_guarded
from engine.accounts.rate_limit import ATTEMPT_RETENTION, Limit, count, must_not_be_too_often
from engine.accounts.sign_in import BY_NETWORK, SIGN_IN
from engine.errors import NotAllowed, TooOften, Unavailable
from engine.text import Text

if TYPE_CHECKING:
    import httpx
    from authlib.oauth2.claims import ClaimsOption

log = logging.getLogger(__name__)
RETURN = "/sign-in/sso/return"
"""The path that the provider sends readers back to; registered there behind the base URL."""
WELL_KNOWN = "/.well-known/openid-configuration"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signed by a private key: neither unsigned nor by the secret that both sides know."""
ROUND_TRIP_LIFETIME = timedelta(minutes=10)
"""From leaving for the provider to coming back."""
METADATA_CACHE_TIME = timedelta(hours=1)
"""How long what the provider publishes about itself, keys included, is believed."""
CLOCK_LEEWAY_SECONDS = 60
"""Seconds that the provider's clock may differ."""
PROVIDER_TIMEOUT_SECONDS = 10.0
"""Seconds to wait for the provider."""
TAKEN = "single_sign_on"


class SingleSignOnRefused(NotAllowed):
    default = Text(
        "Đăng nhập chung không xác nhận được; hãy làm lại từ đầu.", "The single sign-on was not confirmed; begin again."
    )


class ProviderAway(Unavailable):
    default = Text(
        "Hệ thống đăng nhập chung chưa trả lời; hãy thử lại sau.",
        "The single sign-on does not answer; try again later.",
    )


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What the browser keeps, sealed, until it comes back. ``to`` is where the reader was going."""

    state: str
    nonce: str
    verifier: str
    to: str
    at: int

    @classmethod
    def now(cls, to: str, now: datetime) -> AuthorizationRequest:
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, to, int(now.timestamp()))

    def is_over(self, now: datetime) -> bool:
        return not 0 <= now.timestamp() - self.at <= ROUND_TRIP_LIFETIME.total_seconds()


@dataclass(frozen=True, slots=True)
class VerifiedIdentity:
    """Who the provider says it is. ``subject`` is ``<issuer>|<sub>``, the provider's own name for the person."""

    subject: str
    email: str
    verified: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """What the provider publishes: its document, its keys (joserfc's KeySet), and when they were fetched."""

    document: Mapping[str, Any]
    keys: Any
    at: datetime


class Provider:
    """One OpenID provider as its discovery document describes it. ``transport`` is httpx's, for tests."""

    def __init__(
        self, issuer: str, client_id: str, secret: str, base_url: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.issuer, self.client_id = issuer.removesuffix(WELL_KNOWN), client_id
        self._secret, self._return, self._transport = secret, base_url + RETURN, transport
        self._known: _Known | None = None

    def address(self, begun: AuthorizationRequest, now: datetime) -> str:
        """Where to send the browser. Raises ProviderAway."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        return str(
            prepare_grant_uri(
                self._published(now).document["authorization_endpoint"],
                self.client_id,
                "code",
                self._return,
                "openid email",
                begun.state,
                nonce=begun.nonce,
                code_challenge_method="S256",
                code_challenge=create_s256_code_challenge(begun.verifier),
            )
        )

    def proven(self, brought: Mapping[str, str], begun: AuthorizationRequest, now: datetime) -> VerifiedIdentity:
        """Who came back. ``brought`` are the parameters of the return address, ``begun`` what this very browser kept.
        Raises SingleSignOnRefused or ProviderAway."""
        if begun.is_over(now) or not compare_digest(brought.get("state", "").encode(), begun.state.encode()):
            raise SingleSignOnRefused
        document = self._published(now).document
        self._must_be_its_answer(brought, document)
        tokens = self._exchanged(brought.get("code", ""), begun, document)
        claims = self._checked(str(tokens.get("id_token", "")), begun, now)
        if "email" not in claims and "userinfo_endpoint" in document:
            claims |= self._told(document["userinfo_endpoint"], tokens, claims["sub"])
        return VerifiedIdentity(
            f"{document['issuer']}|{claims['sub']}", str(claims.get("email", "")), claims.get("email_verified") is True
        )

    def _must_be_its_answer(self, brought: Mapping[str, str], document: Mapping[str, Any]) -> None:
        """RFC 9207: an answer that names another issuer, or none where ours always names itself, is a mix-up."""
        names = document.get("authorization_response_iss_parameter_supported") is True or "iss" in brought
        if names and brought.get("iss") != document["issuer"]:
            raise SingleSignOnRefused
        if "error" in brought or not brought.get("code"):
            raise SingleSignOnRefused(
                Text(
                    "Đăng nhập chung đã bị hủy hoặc từ chối; hãy làm lại hoặc dùng cách khác.",
                    "The single sign-on was cancelled or refused; begin again, or use another way.",
                )
            )

    def _exchanged(self, code: str, begun: AuthorizationRequest, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """The code against tokens; the provider takes a code once."""
        from authlib.oauth2.auth import ClientAuth
        from httpx import QueryParams

        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        by = (
            "none"
            if not self._secret
            else "client_secret_basic"
            if "client_secret_basic" in methods
            else ("client_secret_post")
        )
        body = str(
            QueryParams(
                grant_type="authorization_code", code=code, redirect_uri=self._return, code_verifier=begun.verifier
            )
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        uri, headers, body = ClientAuth(self.client_id, self._secret, by).prepare(
            "POST", document["token_endpoint"], headers, body
        )
        return self._asked("POST", uri, headers=headers, content=body)

    def _checked(self, token: str, begun: AuthorizationRequest, now: datetime) -> dict[str, Any]:
        """The claims of an ID token, every one of them checked. Keys may have been changed since they were fetched."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError

        known = self._published(now)
        decoded = partial(jwt.decode, token, algorithms=ALGORITHMS)
        try:
            try:
                read = decoded(known.keys)
            except (JoseError, ValueError):
                read = decoded(self._published(now, anew=True).keys)
            options: dict[str, ClaimsOption] = {
                "iss": {"essential": True, "value": known.document["issuer"]},
                "aud": {"essential": True, "value": self.client_id},
            }
            claims = CodeIDToken(read.claims, read.header, options, {"nonce": begun.nonce, "client_id": self.client_id})
            claims.validate(int(now.timestamp()), CLOCK_LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("An ID token was refused: %s", type(error).__name__)
            raise SingleSignOnRefused from None
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise SingleSignOnRefused
        return dict(claims)

    def _told(self, address: str, tokens: Mapping[str, Any], sub: str) -> dict[str, Any]:
        """The mailbox, where the provider tells it apart from the ID token; about the same person (Core 5.3.2)."""
        headers = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
        told = self._asked("GET", address, headers=headers)
        if told.get("sub") != sub:
            raise SingleSignOnRefused
        return {name: told[name] for name in ("email", "email_verified") if name in told}

    def _published(self, now: datetime, *, anew: bool = False) -> _Known:
        known = self._known
        if known is None or anew or not timedelta(0) <= now - known.at <= METADATA_CACHE_TIME:
            from joserfc.errors import JoseError
            from joserfc.jwk import KeySet

            document = self._asked("GET", self.issuer.rstrip("/") + WELL_KNOWN)
            if str(document.get("issuer", "")).rstrip("/") != self.issuer.rstrip("/"):
                raise self._away("the discovery document names another issuer")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not is_guarded(str(document.get(name, ""))):
                    raise self._away(f"{name} is missing or not https")
            try:
                keys = KeySet.import_key_set(self._asked("GET", document["jwks_uri"]))  # type: ignore[arg-type]
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise self._away(f"its keys cannot be read: {error}") from None
            self._known = known = _Known(document, keys, now)
        return known

    def _asked(self, method: str, address: str, **more: Any) -> Mapping[str, Any]:
        """One request to the provider. A refused code is the reader's matter, anything else the operator's."""
        import httpx

        try:
            with httpx.Client(transport=self._transport, timeout=PROVIDER_TIMEOUT_SECONDS) as client:
                answer = client.request(method, address, **more)
                found = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise self._away(f"{type(error).__name__} at {urlsplit(address).path}") from None
        if answer.status_code == 400 and isinstance(found, dict) and found.get("error") == "invalid_grant":
            raise SingleSignOnRefused
        if answer.status_code != 200 or not isinstance(found, dict):
            raise self._away(f"{answer.status_code} at {urlsplit(address).path}")
        return found

    def _away(self, why: str) -> ProviderAway:
        log.error("The single sign-on %s cannot be used: %s", self.issuer, why)
        return ProviderAway()


def provider_of(settings: Settings) -> Provider | None:
    """The provider that is set, if one is."""
    if not settings.oidc_issuer:
        return None
    secret = settings.oidc_client_secret.get_secret_value()
    return Provider(settings.oidc_issuer, settings.oidc_client_id, secret, settings.base_url)


def take_once(session: Session, state: str, *, ip: str, now: datetime) -> None:
    """Note that a browser came back with this state: the same return is taken once, whatever the provider thinks of
    it, and no network tries too often. Raises SingleSignOnRefused or TooOften."""
    try:
        must_not_be_too_often(session, TAKEN, {state: Limit(1, ATTEMPT_RETENTION)}, now)
    except TooOften:
        raise SingleSignOnRefused from None
    must_not_be_too_often(session, TAKEN, {ip: BY_NETWORK[SIGN_IN]}, now)
    count(session, TAKEN, (state, ip), now)
