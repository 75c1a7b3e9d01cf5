"""The province's single sign-on: who is let in, once bound by a verified mailbox, and every way to cheat."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from bs4 import BeautifulSoup
from ground.factory import row, rows
from ground.office import NOW, Office, everything, join, open_office, token_in
from httpx import MockTransport, Response
from integration.engine.web.account.issuer import CLIENT, ISSUER, SECRET, Issuer

from engine.accounts.accounts import deactivate
from engine.accounts.oidc import ROUND_TRIP_LIFETIME, Provider
from engine.store.database import Database
from engine.store.records import Account, Event, UserSession

EMAIL = "coordinator@huyen-b.example"


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def office(lived: Database, tmp_path: Path, issuer: Issuer) -> Office:
    """One coordinator, of huyen-b, not signed in."""
    join(lived, "coordinator", "huyen-b")
    return open_office(lived, tmp_path, single_sign_on=issuer.provider())


def leave(office: Office, to: str = "") -> str:
    """Where the button leads."""
    answer = office.get("/sign-in/sso", params={"to": to} if to else None)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def sign_on(office: Office, issuer: Issuer, sub: str = "an-01", **more: str) -> Response:
    return office.get(issuer.log_in(leave(office), sub, **more))


def why(answer: Response) -> str:
    found = BeautifulSoup(answer.text, "lxml").select_one(".wrong")
    assert found is not None
    return found.get_text()


def nobody_in(office: Office) -> bool:
    return rows(office.context.database, UserSession) == [] and office.get("/account").status_code == 303


def test_the_reader_is_sent_away_with_a_challenge_and_a_nonce_and_comes_back_to_where_he_was_going(
    office: Office, issuer: Issuer
) -> None:
    leaving = leave(office, "/plans?after=")
    asked = dict(parse_qsl(urlsplit(leaving).query))
    assert leaving.startswith(f"{ISSUER}/log-in?tenant=1&")
    assert (asked["scope"], asked["response_type"], asked["code_challenge_method"]) == ("openid email", "code", "S256")
    assert asked["redirect_uri"] == "http://127.0.0.1:8188/sign-in/sso/return"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    answer = office.get(issuer.log_in(leaving))
    assert (answer.status_code, answer.headers["location"]) == (303, "/plans?after=")
    assert EMAIL in office.get("/plans").text
    assert row(office.context.database, Event, kind="signed_in").detail == {"way": "single_sign_on"}


def test_a_person_is_bound_once_by_his_verified_mailbox_and_known_by_his_name_there_afterwards(
    office: Office, issuer: Issuer
) -> None:
    assert sign_on(office, issuer).status_code == 303
    assert row(office.context.database, Account).subject == f"{ISSUER}|an-01"
    issuer.claims = {"email": "moi@so-ban.example", "email_verified": False}
    assert sign_on(office, issuer).status_code == 303
    issuer.claims = {}
    assert sign_on(office, issuer, sub="binh-02").status_code == 403
    assert row(office.context.database, Account).subject == f"{ISSUER}|an-01"


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email_verified": False}, "chưa xác minh hộp thư"),
        ({"email_verified": None}, "chưa xác minh hộp thư"),
        ({"email_verified": "yes"}, "chưa xác minh hộp thư"),
        ({"email": None}, "chưa có tài khoản"),
        ({"email": "la@huyen-b.example"}, "chưa có tài khoản"),
    ],
)
def test_who_has_no_account_is_told_so_and_gets_none(
    office: Office, issuer: Issuer, claims: dict[str, Any], words: str
) -> None:
    issuer.claims = claims
    answer = sign_on(office, issuer)
    assert (answer.status_code, words in why(answer)) == (403, True)
    assert len(rows(office.context.database, Account)) == 1
    assert nobody_in(office)


def test_a_closed_account_stays_closed(office: Office, issuer: Issuer) -> None:
    join(office.context.database, "administrator", "tinh")
    sign_on(office, issuer)
    with office.context.database.write() as session:
        deactivate(session, 1, actor="cli", now=NOW)
    assert sign_on(office, issuer).status_code == 403


SECONDS = int(NOW.timestamp())
LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "another audience": {"claims": {"aud": "another"}},
    "no audience": {"claims": {"aud": None}},
    "two audiences and none named": {"claims": {"aud": ["dondoc", "another"]}},
    "two audiences and another named": {"claims": {"aud": ["dondoc", "another"], "azp": "another"}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "no issuer": {"claims": {"iss": None}},
    "expired": {"claims": {"exp": SECONDS - 61}},
    "never expires": {"claims": {"exp": None}},
    "from the future": {"claims": {"nbf": SECONDS + 600}},
    "no subject": {"claims": {"sub": None}},
    "an empty subject": {"claims": {"sub": ""}},
    "a number as subject": {"claims": {"sub": 7}},
    "unsigned": {"unsigned": True},
    "signed by the shared secret": {"by_secret": True},
    "signed by a key not published": {"key": "thief"},
    "signed by another under a known name": {"signs_with": "thief"},
}


@pytest.mark.parametrize("lie", list(LIES))
def test_a_token_that_does_not_hold_lets_nobody_in(lived: Database, tmp_path: Path, lie: str) -> None:
    join(lived, "coordinator", "huyen-b")
    issuer = Issuer(**LIES[lie])
    office = open_office(lived, tmp_path, single_sign_on=issuer.provider())
    answer = sign_on(office, issuer)
    assert (answer.status_code, "không xác nhận được" in why(answer)) == (403, True)
    assert nobody_in(office)


def test_keys_that_were_changed_meanwhile_are_fetched_anew(office: Office, issuer: Issuer) -> None:
    assert sign_on(office, issuer).status_code == 303
    issuer.key, issuer.published = "k2", ("k1", "k2")
    assert sign_on(office, issuer).status_code == 303
    before = len(issuer.asked)
    assert sign_on(office, issuer).status_code == 303
    assert issuer.asked[before:] == ["/token"]


def test_another_browser_cannot_use_the_way_back(office: Office, issuer: Issuer, tmp_path: Path) -> None:
    back = issuer.log_in(leave(office))
    before = everything(office.context.database)
    stranger = open_office(office.context.database, tmp_path, single_sign_on=issuer.provider())
    answer = stranger.get(back)
    assert (answer.status_code, "không bắt đầu từ trình duyệt này" in why(answer)) == (403, True)
    assert stranger.client.head(back).status_code == 403
    assert everything(office.context.database) == before


def test_anothers_way_back_does_not_sign_me_in_as_him(office: Office, issuer: Issuer, tmp_path: Path) -> None:
    """As when somebody has me follow a link that would sign me in to his account."""
    stranger = open_office(office.context.database, tmp_path, single_sign_on=issuer.provider())
    theirs = issuer.log_in(leave(stranger))
    leave(office)
    assert office.get(theirs).status_code == 403
    assert nobody_in(office)


@pytest.mark.parametrize("replays", [False, True])
def test_a_way_back_is_taken_once(office: Office, issuer: Issuer, replays: bool) -> None:
    issuer.replays = replays
    back = issuer.log_in(leave(office))
    kept = office.client.cookies["dondoc_sso"]
    assert office.get(back).status_code == 303
    assert "dondoc_sso" not in office.client.cookies
    office.client.cookies.clear()
    office.client.cookies.set("dondoc_sso", kept)
    assert office.get(back).status_code == 403
    assert len(rows(office.context.database, UserSession)) == 1


def test_a_code_of_another_is_refused_by_its_challenge(office: Office, issuer: Issuer, tmp_path: Path) -> None:
    """A stolen code put into one's own way back."""
    stranger = open_office(office.context.database, tmp_path, single_sign_on=issuer.provider())
    theirs = dict(parse_qsl(urlsplit(issuer.log_in(leave(stranger))).query))
    mine = dict(parse_qsl(urlsplit(issuer.log_in(leave(office))).query))
    answer = office.get("/sign-in/sso/return", params=mine | {"code": theirs["code"]})
    assert (answer.status_code, nobody_in(office)) == (403, True)


def test_ten_minutes_are_enough_to_come_back(office: Office, issuer: Issuer) -> None:
    back = issuer.log_in(leave(office))
    office.clock.now = NOW + ROUND_TRIP_LIFETIME + timedelta(seconds=1)
    answer = office.get(back)
    assert (answer.status_code, "quá mười phút" in why(answer)) == (403, True)


@pytest.mark.parametrize(
    ("names", "said", "code"),
    [
        (True, ISSUER, 303),
        (False, ISSUER, 303),
        (False, "", 303),
        (True, "", 403),
        (True, "https://evil.example", 403),
        (False, "https://evil.example", 403),
    ],
)
def test_an_answer_of_another_issuer_is_a_mix_up(
    office: Office, issuer: Issuer, names: bool, said: str, code: int
) -> None:
    issuer.document = {"authorization_response_iss_parameter_supported": names}
    more = {"iss": said} if said else {}
    assert sign_on(office, issuer, **more).status_code == code
    assert ("/token" in issuer.asked) == (code == 303)


def test_whoever_cancels_there_is_told_so_here(office: Office, issuer: Issuer) -> None:
    state = dict(parse_qsl(urlsplit(leave(office)).query))["state"]
    answer = office.get("/sign-in/sso/return", params={"error": "access_denied", "state": state})
    assert (answer.status_code, "hủy hoặc từ chối" in why(answer)) == (403, True)


@pytest.mark.parametrize("query", ["", "code=x", "state=x", "code=x&state=x", "state=%00&code=%F0%9F", "code=&state="])
def test_a_hostile_way_back_is_answered_in_words(office: Office, issuer: Issuer, query: str) -> None:
    leave(office)
    assert office.get(f"/sign-in/sso/return?{query}").status_code == 403
    office.client.cookies.set("dondoc_sso", "x.y")
    assert office.get(f"/sign-in/sso/return?{query}").status_code == 403
    assert "/token" not in issuer.asked


AWAY: dict[str, httpx.Response | Exception] = {
    "down": httpx.ConnectError("no route"),
    "slow": httpx.ReadTimeout("slow"),
    "ill": httpx.Response(502, text="<h1>"),
    "a list": httpx.Response(200, json=[]),
    "moved": httpx.Response(302, headers={"location": "https://evil.example"}),
}


@pytest.mark.parametrize("how", list(AWAY))
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
def test_when_the_provider_is_away_it_is_said_and_other_ways_stay(
    lived: Database, tmp_path: Path, path: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    join(lived, "coordinator", "huyen-b")
    issuer = Issuer(down={path: AWAY[how]})
    office = open_office(lived, tmp_path, single_sign_on=issuer.provider())
    answer = office.get("/sign-in/sso")
    if path == "/token":
        answer = office.get(issuer.log_in(str(answer.headers["location"])))
    assert (answer.status_code, "chưa trả lời" in why(answer)) == (503, True)
    assert 'name="password"' in answer.text
    assert path in caplog.text


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://dangnhap.tinh.example/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_document_that_points_elsewhere_is_not_followed(
    office: Office, issuer: Issuer, document: dict[str, Any]
) -> None:
    issuer.document = document
    assert office.get("/sign-in/sso").status_code == 503


def test_a_wrong_secret_is_the_operators_matter(lived: Database, tmp_path: Path) -> None:
    issuer = Issuer()
    office = open_office(lived, tmp_path, single_sign_on=issuer.provider(secret="wrong"))
    assert office.get(issuer.log_in(leave(office))).status_code == 503


def test_the_secret_is_posted_where_the_provider_asks_for_that(office: Office, issuer: Issuer) -> None:
    issuer.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert sign_on(office, issuer).status_code == 303


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"sub": "an-01", "email": EMAIL, "email_verified": True}, 303),
        ({"sub": "an-01", "email": EMAIL}, 403),
        ({"sub": "binh-02", "email": EMAIL, "email_verified": True}, 403),
    ],
)
def test_a_mailbox_told_apart_from_the_token_must_be_the_same_persons(
    office: Office, issuer: Issuer, told: dict[str, Any], code: int
) -> None:
    issuer.told, issuer.claims = told, {"email": None, "email_verified": None}
    assert sign_on(office, issuer).status_code == code


def test_an_address_of_the_discovery_document_will_do_for_the_issuer(lived: Database, tmp_path: Path) -> None:
    join(lived, "coordinator", "huyen-b")
    issuer = Issuer()
    provider = issuer.provider(f"{ISSUER}/.well-known/openid-configuration")
    assert sign_on(open_office(lived, tmp_path, single_sign_on=provider), issuer).status_code == 303


def test_nobody_is_sent_to_another_site_afterwards(office: Office, issuer: Issuer) -> None:
    assert office.get(issuer.log_in(leave(office, "//evil.example"))).headers["location"] == "/"


def test_one_network_may_not_try_for_ever(office: Office, issuer: Issuer) -> None:
    issuer.claims = {"nonce": "another"}
    codes = [sign_on(office, issuer).status_code for _ in range(51)]
    assert (set(codes[:50]), codes[50]) == ({403}, 429)


def test_the_cookie_of_the_way_there_is_short_lived_and_out_of_reach(lived: Database, tmp_path: Path) -> None:
    office = open_office(
        lived,
        tmp_path,
        base_url="https://dondoc.example",
        host="https://dondoc.example",
        single_sign_on=Issuer().provider(),
    )
    cookie = next(each for each in office.get("/sign-in/sso").headers.get_list("set-cookie") if "sso" in each)
    assert cookie.startswith("__Host-dondoc_sso=")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/", "Secure", "Max-Age=600"))


def test_where_none_is_set_there_is_no_button_and_no_address(lived: Database, tmp_path: Path) -> None:
    office = open_office(lived, tmp_path)
    assert "/sign-in/sso" not in office.get("/sign-in").text
    assert [office.get(path).status_code for path in ("/sign-in/sso", "/sign-in/sso/return?code=x")] == [404, 404]


def test_the_button_leads_to_the_provider(lived: Database, tmp_path: Path) -> None:
    office = open_office(lived, tmp_path, single_sign_on=Issuer().provider())
    named = BeautifulSoup(office.get("/sign-in?to=/plans").text, "lxml").select_one('a[href^="/sign-in/sso"]')
    assert named is not None
    assert (named["href"], " ".join(named.get_text().split())) == (
        "/sign-in/sso?to=%2Fplans",
        "Đăng nhập bằng hệ thống đăng nhập chung",
    )


@pytest.mark.parametrize(
    ("said", "domains", "code"),
    [
        ("true", set(), 303),
        ("True", set(), 303),
        ("false", {"huyen-b.example"}, 403),
        (False, {"huyen-b.example"}, 403),
        (None, {"huyen-b.example"}, 303),
        (None, {"tinh.example"}, 403),
        (None, set(), 403),
    ],
)
def test_a_mailbox_is_verified_as_the_provider_writes_it_or_by_its_domain(
    lived: Database, tmp_path: Path, issuer: Issuer, said: object, domains: set[str], code: int
) -> None:
    join(lived, "coordinator", "huyen-b")
    transport = MockTransport(issuer.answer)
    made = Provider(ISSUER, CLIENT, SECRET, "http://127.0.0.1:8188", transport, frozenset(domains))
    office = open_office(lived, tmp_path, single_sign_on=made)
    issuer.claims = {"email_verified": said}
    assert sign_on(office, issuer).status_code == code


def test_signing_out_here_signs_out_at_the_provider(office: Office, issuer: Issuer) -> None:
    issuer.document = {"end_session_endpoint": f"{ISSUER}/log-out"}
    sign_on(office, issuer)
    token = token_in(office.get("/account").text)
    answer = office.client.post("/sign-out", data={"token": token})
    who = "logout_hint=coordinator%40huyen-b.example"
    back = "http%3A%2F%2F127.0.0.1%3A8188%2Fsign-in"
    asked = f"client_id={CLIENT}&post_logout_redirect_uri={back}&{who}"
    assert answer.headers["refresh"] == f"0; url={ISSUER}/log-out?{asked}"
    assert office.get("/account").status_code == 303


def test_a_provider_that_knows_no_signing_out_keeps_nobody_here(office: Office, issuer: Issuer) -> None:
    sign_on(office, issuer)
    answer = office.client.post("/sign-out", data={"token": token_in(office.get("/account").text)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert office.get("/account").status_code == 303
