"""Signing in by the pages, one's own sessions, and what each role finds at each address."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import row, rows
from ground.office import NOW, Office, as_role, enter, join, open_office

from engine.accounts.accounts import deactivate
from engine.accounts.permissions import ActorRole
from engine.accounts.sign_in import open_session
from engine.admin.published_figures import publish_figures
from engine.store.database import Database
from engine.store.records import UserSession

GOOD = "mot cau dai de nho 7"
FAR = "https://evil.example"


@pytest.fixture
def one(lived: Database, tmp_path: Path) -> Office:
    """One coordinator, of huyen-b, who has a password and is not signed in."""
    join(lived, "coordinator", "huyen-b", password=GOOD)
    return open_office(lived, tmp_path)


def sign_in(office: Office, password: str = GOOD, **more: str) -> object:
    return office.post("/sign-in", page="/sign-in", email="coordinator@huyen-b.example", password=password, **more)


def test_once_there_is_an_account_a_page_leads_to_signing_in_and_the_api_says_401(one: Office) -> None:
    page, api = one.get("/overdue?plan=1"), one.get("/api/v1/board")
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?to=%2Foverdue%3Fplan%3D1")
    assert (api.status_code, api.headers["content-type"]) == (401, "application/problem+json")


def test_after_the_last_account_is_closed_nothing_opens(one: Office) -> None:
    with one.context.database.write() as session:
        deactivate(session, 1, actor="cli", now=NOW)
    assert one.get("/overdue").headers["location"].startswith("/sign-in")


def test_the_demonstration_needs_no_account(one: Office, lived: Database, tmp_path: Path) -> None:
    assert open_office(lived, tmp_path, step=lambda how: None).get("/overdue").status_code == 200


def test_a_password_opens_the_page_that_was_asked_for(one: Office) -> None:
    answer = sign_in(one, to="/plans?after=")
    assert (answer.status_code, answer.headers["location"]) == (303, "/plans?after=")  # type: ignore[attr-defined]
    page = one.get("/plans").text
    assert "coordinator@huyen-b.example" in page
    assert one.get("/").headers["location"] == "/agencies/huyen-b"


@pytest.mark.parametrize("to", ["//evil.example", "/\\evil.example", FAR, "javascript:alert(1)", "/a\nb", "evil"])
def test_nobody_is_sent_to_another_site(one: Office, to: str) -> None:
    assert f'name="to" value="{""}"' in one.client.get("/sign-in", params={"to": to}).text
    assert sign_in(one, to=to).headers["location"] == "/"  # type: ignore[attr-defined]


def test_a_wrong_password_and_an_unknown_address_are_told_the_same(one: Office) -> None:
    wrong = one.post("/sign-in", page="/sign-in", email="coordinator@huyen-b.example", password="x")
    unknown = one.post("/sign-in", page="/sign-in", email="khong@huyen-b.example", password="x")
    said = [BeautifulSoup(each.text, "lxml").select_one(".wrong").get_text() for each in (wrong, unknown)]  # type: ignore[union-attr]
    assert (wrong.status_code, unknown.status_code, said[0]) == (401, 401, said[1])
    assert 'value="coordinator@huyen-b.example"' in wrong.text


def test_the_sixth_try_is_refused_even_with_the_right_password(one: Office) -> None:
    for _ in range(5):
        sign_in(one, "x")
    answer = sign_in(one)
    assert answer.status_code == 429  # type: ignore[attr-defined]


def test_whoever_guesses_locks_himself_out_and_not_the_browser_that_signed_in_before(
    one: Office, lived: Database, tmp_path: Path
) -> None:
    sign_in(one)
    one.post("/sign-out", page="/account")
    stranger = open_office(lived, tmp_path)
    codes = [sign_in(stranger, "x").status_code for _ in range(6)]  # type: ignore[attr-defined]
    assert (codes, sign_in(one).status_code) == ([401] * 5 + [429], 303)  # type: ignore[attr-defined]


def test_a_known_browser_has_as_many_tries_as_any_and_is_known_for_its_own_account_alone(
    one: Office, lived: Database
) -> None:
    join(lived, "head", "huyen-b", password=GOOD)
    sign_in(one)
    one.post("/sign-out", page="/account")
    assert [sign_in(one, "x").status_code for _ in range(6)] == [401] * 5 + [429]  # type: ignore[attr-defined]
    assert "coordinator" not in one.client.cookies["dondoc_known"]
    other = [one.post("/sign-in", page="/sign-in", email="head@huyen-b.example", password="x") for _ in range(6)]
    assert [each.status_code for each in other] == [401] * 5 + [429]


@pytest.mark.parametrize("mark", ["x", "x.y", "WyJhIl0.x", ""])
def test_a_forged_mark_of_a_known_browser_is_none(one: Office, mark: str) -> None:
    one.client.cookies.set("dondoc_known", mark)
    codes = [sign_in(one, "x").status_code for _ in range(6)]  # type: ignore[attr-defined]
    assert codes == [401] * 5 + [429]


def test_a_cookie_that_was_planted_before_signing_in_is_never_the_session(
    one: Office, lived: Database, tmp_path: Path
) -> None:
    one.client.cookies.set("dondoc_session", "planted", domain="127.0.0.1")
    sign_in(one)
    planted = open_office(lived, tmp_path)
    planted.client.cookies.set("dondoc_session", "planted")
    assert (planted.get("/account").status_code, one.get("/account").status_code) == (303, 200)
    first = one.client.cookies["dondoc_session"]
    one.post("/sign-in", page="/account", email="coordinator@huyen-b.example", password=GOOD)
    assert one.client.cookies["dondoc_session"] != first
    assert row(lived, UserSession, id=1).ended_at == NOW


def test_a_form_of_signing_in_from_elsewhere_is_refused(one: Office) -> None:
    fields = {"token": one.token("/sign-in"), "email": "coordinator@huyen-b.example", "password": GOOD}
    assert one.client.post("/sign-in", data=fields, headers={"origin": FAR}).status_code == 403
    assert one.client.post("/sign-in", data=fields | {"token": "x"}).status_code == 403
    assert rows(one.context.database, UserSession) == []


@pytest.mark.parametrize(
    ("base_url", "name"),
    [("http://127.0.0.1:8188", "dondoc_session"), ("https://dondoc.example", "__Host-dondoc_session")],
)
def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    lived: Database, tmp_path: Path, base_url: str, name: str
) -> None:
    join(lived, "coordinator", "huyen-b", password=GOOD)
    office = open_office(lived, tmp_path, base_url=base_url, host=base_url)
    cookie = sign_in(office).headers["set-cookie"]  # type: ignore[attr-defined]
    assert cookie.startswith(f"{name}=")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/"))
    assert ("Secure" in cookie) == base_url.startswith("https")
    assert "Domain" not in cookie
    assert office.get("/account").status_code == 200


def test_looking_prolongs_no_session_a_deed_does(one: Office) -> None:
    sign_in(one)
    ends = row(one.context.database, UserSession, id=1).expires_at
    one.clock.now = NOW + timedelta(hours=11)
    one.get("/account")
    assert row(one.context.database, UserSession, id=1).expires_at == ends
    one.post("/account/sessions/end-others", page="/account")
    assert row(one.context.database, UserSession, id=1).expires_at == ends + timedelta(hours=11)


def test_an_unused_session_ends_by_itself(one: Office) -> None:
    sign_in(one)
    one.clock.now = NOW + timedelta(hours=12)
    assert one.get("/account").status_code == 303
    assert one.client.post("/assignments/3/acknowledge", data={"token": "x"}).status_code == 401


def test_signing_out_ends_the_session_itself_not_the_cookie_alone(one: Office) -> None:
    sign_in(one)
    kept = one.client.cookies["dondoc_session"]
    assert one.post("/sign-out", page="/account").headers["location"] == "/sign-in"
    one.client.cookies.set("dondoc_session", kept)
    assert one.get("/account").headers["location"].startswith("/sign-in")


def test_one_sees_where_one_is_signed_in_and_ends_it_there(one: Office) -> None:
    sign_in(one)
    for _ in range(2):
        with one.context.database.write() as session:
            open_session(session, 1, way="link", device="Điện thoại", now=NOW)
    page = one.get("/account").text
    assert page.count("Điện thoại") == 2
    one.post("/account/sessions/2/end", page="/account")
    assert one.get("/account").text.count("Điện thoại") == 1
    one.post("/account/sessions/end-others", page="/account")
    assert "Điện thoại" not in one.get("/account").text


def test_anothers_session_cannot_be_ended(one: Office) -> None:
    sign_in(one)
    enter(open_office(one.context.database, Path()), join(one.context.database, "head", "huyen-b"))
    assert one.post("/account/sessions/2/end", page="/account").status_code == 404
    assert row(one.context.database, UserSession, id=2).ended_at is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"old": "x", "new": "mot cau khac dai 8", "again": "mot cau khac dai 8"}, "đang dùng không đúng"),
        ({"old": GOOD, "new": "ngan", "again": "ngan"}, "dài ít nhất 12"),
        ({"old": GOOD, "new": "mot cau khac dai 8", "again": "mot cau khac dai 9"}, "không giống nhau"),
    ],
)
def test_a_password_that_cannot_be_changed_says_why(one: Office, fields: dict[str, str], said: str) -> None:
    sign_in(one)
    answer = one.post("/account/password", page="/account", **fields)
    assert 400 <= answer.status_code < 500
    assert said in answer.text
    assert GOOD not in answer.text


def test_a_changed_password_signs_out_everywhere_but_here(one: Office) -> None:
    sign_in(one)
    elsewhere = open_office(one.context.database, Path())
    sign_in(elsewhere)
    new = "mot cau khac dai 8"
    one.post("/account/password", page="/account", old=GOOD, new=new, again=new)
    assert (one.get("/account").status_code, elsewhere.get("/account").status_code) == (200, 303)
    assert sign_in(elsewhere).status_code == 401  # type: ignore[attr-defined]
    assert sign_in(elsewhere, new).status_code == 303  # type: ignore[attr-defined]


def test_pages_speak_the_accounts_language_unless_another_was_chosen(lived: Database, tmp_path: Path) -> None:
    office = enter(open_office(lived, tmp_path), join(lived, "monitor", "tinh", "en"))
    assert '<html lang="en">' in office.get("/overdue").text
    assert '<html lang="vi">' in office.get("/overdue?lang=vi").text


@pytest.mark.parametrize("path", ["/sign-in", "/account"])
def test_the_pages_of_signing_in_hold_no_script_and_a_label_for_every_field(one: Office, path: str) -> None:
    if path == "/account":
        sign_in(one)
    page = BeautifulSoup(one.get(path, headers={"accept-language": "en"}).text, "lxml")
    english = BeautifulSoup(one.get(f"{path}?lang=en").text, "lxml")
    labelled = {each.get("for") for each in page.find_all("label")}
    fields = [each for each in page.find_all("input") if each["type"] != "hidden"]
    assert all(each["id"] in labelled for each in fields)
    assert not page.find_all(["script", "style"])
    for marked in english.select('[lang="vi"], .brand, title'):
        marked.decompose()
    assert not re.search("[ăđơưạảấầậắặẹếềểệỉịọốồộớờợụủứừựỹ]", english.body.get_text())  # type: ignore[union-attr]


# --- what each role finds at each address --------------------------------------------------------------------------

OWNERS, WATCH = ("coordinator", "deputy", "head"), ("monitor", "leadership", "administrator")
REACH: dict[str, tuple[str, ...]] = {
    "/accept": ("monitor", "administrator"),
    "/queue": ("monitor", "administrator"),
    "/extensions": ("monitor", "administrator"),
    "/plans/1/duties/new": ("administrator",),
    "/plans/1/reports/new": ("administrator",),
    "/duties/1/amend": ("administrator",),
    "/plans/1/figures": WATCH,
    "/plans/1/figures?period=2021-H1&as=csv": WATCH,
    "/plans/1/report.docx?period=2021-H1": WATCH,
    "/overdue": WATCH,
    "/agencies": WATCH,
    "/letters": ("monitor", "administrator"),
    "/letters/1": ("monitor", "administrator"),
    "/letters/1/html": ("monitor", "administrator"),
    "/leadership": WATCH,
    "/leadership?plan=1": WATCH,
    "/year": WATCH,
    "/leadership/frozen/1": WATCH,
    "/health": ("administrator",),
    "/plans": (*OWNERS, *WATCH),
    "/plans/1": (*OWNERS, *WATCH),
    "/plans/import": ("administrator",),
    "/assignments": (*OWNERS, *WATCH),
    "/assignments?agency=huyen-b": (*OWNERS, *WATCH),
    "/assignments?agency=so-ban": WATCH,
    "/agencies/huyen-b": (*OWNERS, *WATCH),
    "/agencies/so-ban": WATCH,
    "/account": (*OWNERS, *WATCH),
    "/report/huyen-b/1/2021-H1": (*OWNERS, "administrator"),
    "/report/so-ban/1/2021-H1": ("administrator",),
}
"""Who is let in, when owners are of huyen-b and the others of the province."""


@pytest.mark.parametrize("role", list(ActorRole))
def test_each_role_sees_its_pages_and_is_refused_the_others_in_words(
    lived: Database, tmp_path: Path, role: ActorRole
) -> None:
    office = as_role(lived, tmp_path, role.value, "huyen-b" if role.value in OWNERS else "tinh")
    with lived.write() as session:
        publish_figures(session, 1, "", NOW.date(), actor="desk", now=NOW)
    for path, roles in REACH.items():
        answer = office.get(path)
        assert answer.status_code == (200 if role.value in roles else 403), path
        assert answer.status_code == 200 or "không có quyền" in answer.text


def test_a_coordinators_list_holds_his_own_agencys_assignments_alone(lived: Database, tmp_path: Path) -> None:
    office = as_role(lived, tmp_path, "coordinator", "huyen-b")
    listed = office.get("/api/v1/assignments").json()["items"]
    assert {each["agency_id"] for each in listed} == {"huyen-b"}
    assert office.get("/api/v1/assignments?agency=so-ban").status_code == 403


def test_a_deed_of_another_agencys_is_refused_a_monitors_own_is_done(lived: Database, tmp_path: Path) -> None:
    owner = as_role(lived, tmp_path, "coordinator", "huyen-b")
    monitor = as_role(lived, tmp_path, "monitor", "tinh")
    assert owner.post("/assignments/1/accept", page="/account").status_code == 403
    assert owner.post("/assignments/2/acknowledge", page="/account").status_code == 403
    assert monitor.post("/assignments/1/acknowledge", page="/account").status_code == 403
