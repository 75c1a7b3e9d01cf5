"""Single sign-on of the province: OpenID Connect, authorisation code flow with PKCE, state and nonce.

Two steps with the user's browser between them: ``address`` gives the URL to send it to, ``verify_return`` checks what
it brought back. Nothing is trusted before the ID token's signature, issuer, audience, time and nonce were checked
(OpenID Connect Core 3.1.3.7, RFC 9207, RFC 9700). Which account the identity belongs to is decided by
``engine.accounts.accounts``.

Authlib and joserfc are imported on first use: they take a third of a second.
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
from engine.accounts.rate_limit import ATTEMPT_RETENTION, Limit, count, enforce_rate_limit
from engine.accounts.sign_in import BY_NETWORK, SIGN_IN
from engine.errors import NotAllowed, TooOften, Unavailable
from engine.text import Text

if TYPE_CHECKING:
    import httpx
    from authlib.oauth2.claims import ClaimsOption

log = logging.getLogger(__name__)
RETURN = "/sign-in/sso/return"
"""Path that the provider redirects users to; registered there behind the base URL."""
WELL_KNOWN = "/.well-known/openid-configuration"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric signatures only: neither unsigned tokens nor ones signed with the shared client secret."""
ROUND_TRIP_LIFETIME = timedelta(minutes=10)
"""Time allowed from the redirect to the provider until the return."""
METADATA_CACHE_TIME = timedelta(hours=1)
"""How long the provider's metadata and keys are cached."""
CLOCK_LEEWAY_SECONDS = 60
"""Tolerated difference from the provider's clock."""
PROVIDER_TIMEOUT_SECONDS = 10.0
"""Timeout of each request to the provider."""
TAKEN = "single_sign_on"


class SingleSignOnRefused(NotAllowed):
    default = Text(
        "Đăng nhập chung không xác nhận được; hãy làm lại từ đầu.",
        "The single sign-on could not be verified; start again.",
    )


class ProviderUnavailable(Unavailable):
    default = Text(
        "Hệ thống đăng nhập chung chưa trả lời; hãy thử lại sau.",
        "The single sign-on is not responding; try again later.",
    )


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What the browser keeps in a sealed cookie until it returns. ``to``: the page the user wanted; ``at``: Unix time
    in seconds."""

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
    """The verified identity. ``subject`` is ``<issuer>|<sub>``, the provider's permanent id of the person."""

    subject: str
    email: str
    verified: bool


@dataclass(frozen=True, slots=True)
class _Metadata:
    """What the provider publishes: its discovery document, its keys (joserfc's KeySet), and when they were fetched."""

    document: Mapping[str, Any]
    keys: Any
    at: datetime


class Provider:
    """An OpenID provider, as its discovery document describes it. ``transport`` is httpx's, for tests. ``domains``: of
    mailboxes that count as verified where the provider says nothing of it."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        secret: str,
        base_url: str,
        transport: httpx.BaseTransport | None = None,
        domains: frozenset[str] = frozenset(),
    ) -> None:
        self.issuer, self.client_id = issuer.removesuffix(WELL_KNOWN), client_id
        self._secret, self._return, self._transport = secret, base_url + RETURN, transport
        self._base_url, self._domains = base_url, domains
        self._metadata: _Metadata | None = None

    def sign_out_address(self, now: datetime, email: str) -> str:
        """Where the browser is sent after it was signed out here (OpenID Connect RP-Initiated Logout 1.0), so that the
        next person at it is asked who they are; ``email`` says who leaves. "" if the provider has no such place or does
        not answer."""
        from httpx import QueryParams

        try:
            place = str(self._current_metadata(now).document.get("end_session_endpoint", ""))
        except ProviderUnavailable:
            return ""
        if not is_guarded(place):
            return ""
        asked = QueryParams(
            client_id=self.client_id, post_logout_redirect_uri=f"{self._base_url}/sign-in", logout_hint=email
        )
        return f"{place}{'&' if '?' in place else '?'}{asked}"

    def address(self, begun: AuthorizationRequest, now: datetime) -> str:
        """The authorisation URL to send the browser to. Raises ProviderUnavailable."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        return str(
            prepare_grant_uri(
                self._current_metadata(now).document["authorization_endpoint"],
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

    def verify_return(
        self, returned: Mapping[str, str], begun: AuthorizationRequest, now: datetime
    ) -> VerifiedIdentity:
        """Verify the return from the provider. ``returned``: query parameters of the return URL; ``begun``: what this
        browser kept. Raises SingleSignOnRefused or ProviderUnavailable."""
        if begun.is_over(now) or not compare_digest(returned.get("state", "").encode(), begun.state.encode()):
            raise SingleSignOnRefused
        document = self._current_metadata(now).document
        self._check_response(returned, document)
        tokens = self._exchange_code(returned.get("code", ""), begun, document)
        claims = self._verified_claims(str(tokens.get("id_token", "")), begun, now)
        if "email" not in claims and "userinfo_endpoint" in document:
            claims |= self._userinfo(document["userinfo_endpoint"], tokens, claims["sub"])
        return VerifiedIdentity(
            f"{document['issuer']}|{claims['sub']}",
            str(claims.get("email", "")),
            self._is_verified(claims),
        )

    def _is_verified(self, claims: Mapping[str, Any]) -> bool:
        """Providers write ``email_verified`` as a boolean, as a string, or not at all."""
        said = claims.get("email_verified")
        if said is None:
            return str(claims.get("email", "")).lower().rpartition("@")[2] in self._domains
        return said is True or (isinstance(said, str) and said.lower() == "true")

    def _check_response(self, returned: Mapping[str, str], document: Mapping[str, Any]) -> None:
        """RFC 9207: a response with another issuer, or without one if the provider always sends it, is a mix-up."""
        names = document.get("authorization_response_iss_parameter_supported") is True or "iss" in returned
        if names and returned.get("iss") != document["issuer"]:
            raise SingleSignOnRefused
        if "error" in returned or not returned.get("code"):
            raise SingleSignOnRefused(
                Text(
                    "Đăng nhập chung đã bị hủy hoặc từ chối; hãy làm lại hoặc dùng cách khác.",
                    "The single sign-on was cancelled or refused; start again, or sign in another way.",
                )
            )

    def _exchange_code(self, code: str, begun: AuthorizationRequest, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Exchange the code for tokens; the provider accepts a code once."""
        from authlib.oauth2.auth import ClientAuth
        from httpx import QueryParams

        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        method = (
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
        uri, headers, body = ClientAuth(self.client_id, self._secret, method).prepare(
            "POST", document["token_endpoint"], headers, body
        )
        return self._request("POST", uri, headers=headers, content=body)

    def _verified_claims(self, token: str, begun: AuthorizationRequest, now: datetime) -> dict[str, Any]:
        """The verified claims of an ID token. If the signature fails, the keys are fetched again: they may be new."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError

        metadata = self._current_metadata(now)
        decode = partial(jwt.decode, token, algorithms=ALGORITHMS)
        try:
            try:
                decoded = decode(metadata.keys)
            except (JoseError, ValueError):
                decoded = decode(self._current_metadata(now, refresh=True).keys)
            options: dict[str, ClaimsOption] = {
                "iss": {"essential": True, "value": metadata.document["issuer"]},
                "aud": {"essential": True, "value": self.client_id},
            }
            claims = CodeIDToken(
                decoded.claims, decoded.header, options, {"nonce": begun.nonce, "client_id": self.client_id}
            )
            claims.validate(int(now.timestamp()), CLOCK_LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("An ID token was refused: %s", type(error).__name__)
            raise SingleSignOnRefused from None
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise SingleSignOnRefused
        return dict(claims)

    def _userinfo(self, address: str, tokens: Mapping[str, Any], sub: str) -> dict[str, Any]:
        """The mailbox from the userinfo endpoint, if it is not in the ID token; ``sub`` must match (Core 5.3.2)."""
        headers = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
        userinfo = self._request("GET", address, headers=headers)
        if userinfo.get("sub") != sub:
            raise SingleSignOnRefused
        return {name: userinfo[name] for name in ("email", "email_verified") if name in userinfo}

    def _current_metadata(self, now: datetime, *, refresh: bool = False) -> _Metadata:
        metadata = self._metadata
        if metadata is None or refresh or not timedelta(0) <= now - metadata.at <= METADATA_CACHE_TIME:
            from joserfc.errors import JoseError
            from joserfc.jwk import KeySet

            document = self._request("GET", self.issuer.rstrip("/") + WELL_KNOWN)
            if str(document.get("issuer", "")).rstrip("/") != self.issuer.rstrip("/"):
                raise self._unavailable("the discovery document names another issuer")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not is_guarded(str(document.get(name, ""))):
                    raise self._unavailable(f"{name} is missing or not https")
            try:
                keys = KeySet.import_key_set(self._request("GET", document["jwks_uri"]))  # type: ignore[arg-type]
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise self._unavailable(f"its keys cannot be read: {error}") from None
            self._metadata = metadata = _Metadata(document, keys, now)
        return metadata

    def _request(self, method: str, address: str, **more: Any) -> Mapping[str, Any]:
        """One request to the provider. A refused code is reported to the user, any other failure is logged."""
        import httpx

        try:
            with httpx.Client(transport=self._transport, timeout=PROVIDER_TIMEOUT_SECONDS) as client:
                response = client.request(method, address, **more)
                body = response.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise self._unavailable(f"{type(error).__name__} at {urlsplit(address).path}") from None
        if response.status_code == 400 and isinstance(body, dict) and body.get("error") == "invalid_grant":
            raise SingleSignOnRefused
        if response.status_code != 200 or not isinstance(body, dict):
            raise self._unavailable(f"{response.status_code} at {urlsplit(address).path}")
        return body

    def _unavailable(self, why: str) -> ProviderUnavailable:
        log.error("The single sign-on %s cannot be used: %s", self.issuer, why)
        return ProviderUnavailable()


def provider_of(settings: Settings) -> Provider | None:
    """The configured provider; None if single sign-on is not set up."""
    if not settings.oidc_issuer:
        return None
    secret = settings.oidc_client_secret.get_secret_value()
    domains = frozenset(each.strip().lower() for each in settings.oidc_domains.split(",")) - {""}
    return Provider(settings.oidc_issuer, settings.oidc_client_id, secret, settings.base_url, domains=domains)


def consume_state(session: Session, state: str, *, ip: str, now: datetime) -> None:
    """Record a return with this state: each state is accepted once, even if the provider would accept it again, and
    each network is rate-limited. Raises SingleSignOnRefused or TooOften."""
    try:
        enforce_rate_limit(session, TAKEN, {state: Limit(1, ATTEMPT_RETENTION)}, now)
    except TooOften:
        raise SingleSignOnRefused from None
    enforce_rate_limit(session, TAKEN, {ip: BY_NETWORK[SIGN_IN]}, now)
    count(session, TAKEN, (state, ip), now)
