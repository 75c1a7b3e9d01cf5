"""Headers on every answer, a token in every form, nothing done by looking, and no error that is not in words."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from ground.office import HERE, Office, contact_of, everything, letter_of, open_office, token_in
from ground.walk import HOSTILE, form_body, trouble
from lxml.html import HtmlElement, fromstring
from sqlalchemy import delete, update
from sqlmodel import Session

from engine.accounts.signed_links import Purpose, Signer
from engine.errors import NotAllowed
from engine.http.security import MAX_BODY_BYTES, FormTokens
from engine.store.database import Database, table
from engine.store.records import Letter, LetterBody
from engine.terms import LetterState

FAR = "https://evil.example"
MOST_PAGES = 180
"""Addresses that are followed, the nearest first."""


def test_a_token_of_another_visitor_is_refused(lived: Database, tmp_path: Path) -> None:
    mine, theirs = open_office(lived, tmp_path), open_office(lived, tmp_path)
    mine.get("/overdue")
    answer = mine.client.post("/assignments/3/cancel", data={"token": theirs.token(), "reason": "x"})
    assert answer.status_code == 403
    assert "tải lại trang" in answer.text


def test_no_two_answers_bear_the_same_token_and_none_bears_the_cookie_s_value(office: Office) -> None:
    """What stays the same in compressed pages can be guessed by their length (BREACH); a proxy may compress them."""
    pages = [office.get("/overdue").text for _ in range(2)]
    tokens = [set(re.findall(r'name="token" value="([^"]*)"', page)) for page in pages]
    assert [len(each) for each in tokens] == [1, 1]
    (first,), (second,) = tokens
    raws = [base64.urlsafe_b64decode(each + "==") for each in (first, second)]
    assert not {raws[0][at : at + 4] for at in range(len(raws[0]) - 3)} & {
        raws[1][at : at + 4] for at in range(len(raws[1]) - 3)
    }
    cookies = list(office.client.cookies.values())
    assert cookies
    assert not [value for value in cookies if any(value.encode() in raw for raw in raws) or value in pages[0]]
    for token in (first, second, second):
        data = {"token": token, "reason": "x", "id": "3"}
        assert office.client.post("/assignments/3/cancel", data=data).status_code != 403


def test_a_changed_or_unmasked_token_is_refused() -> None:
    tokens = FormTokens(Signer("key"))
    token = tokens.make("binding")
    tokens.check(token, "binding")
    raw = base64.urlsafe_b64decode(token + "==")
    unmasked = bytes(a ^ b for a, b in zip(raw[:32], raw[32:], strict=True))
    changed = [bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]]) for at in (0, 31, 32, 63)]
    for wrong in (unmasked, raw[32:], b"", raw + b"x", bytes(64), *changed):
        with pytest.raises(NotAllowed):
            tokens.check(base64.urlsafe_b64encode(wrong).decode().rstrip("="), "binding")
    for text, binding in (("é", "binding"), ("x", "binding"), (token, "other"), (token, ""), (tokens.make(""), "")):
        with pytest.raises(NotAllowed):
            tokens.check(text, binding)
    with pytest.raises(NotAllowed):
        FormTokens(Signer("another key")).check(token, "binding")


@pytest.mark.parametrize(
    "headers", [{"origin": FAR}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}]
)
def test_a_form_from_another_site_is_refused_even_with_a_token(office: Office, headers: dict[str, str]) -> None:
    data = {"token": office.token(), "reason": "x"}
    assert office.client.post("/assignments/3/cancel", data=data, headers=headers).status_code == 403


@pytest.mark.parametrize("headers", [{"origin": HERE}, {"origin": "null"}, {"sec-fetch-site": "same-origin"}])
def test_a_form_from_our_own_page_passes(office: Office, headers: dict[str, str]) -> None:
    data = {"token": office.token(), "reason": "x"}
    answer = office.client.post("/assignments/3/cancel", data=data, headers=headers)
    assert answer.status_code == 303


def test_a_letters_html_stands_in_a_frame_that_may_run_nothing(office: Office) -> None:
    frame = BeautifulSoup(office.get("/letters/1").text, "lxml").iframe
    assert frame is not None
    assert frame.has_attr("sandbox")
    assert not frame["sandbox"]
    assert office.get(str(frame["src"])).headers["content-security-policy"].startswith("sandbox;")


def test_static_files_may_be_kept_for_ever_since_their_name_holds_their_hash(office: Office) -> None:
    page = BeautifulSoup(office.get("/").text, "lxml")
    for link in page.select('link[rel="stylesheet"], link[rel="icon"]'):
        answer = office.get(str(link["href"]))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert office.get("/static/../../../etc/passwd").status_code == 404
    assert office.get("/").headers["cache-control"] == "no-store"


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(lived: Database, tmp_path: Path) -> None:
    plain = open_office(lived, tmp_path).get("/?lang=en").headers.get_list("set-cookie")
    safe = open_office(lived, tmp_path, base_url="https://dondoc.example").get("/").headers.get_list("set-cookie")
    assert len(plain) == 2
    assert all("HttpOnly" in cookie and "SameSite=lax" in cookie for cookie in plain + safe)
    assert all("Secure" in cookie for cookie in safe)


def test_head_is_answered_as_get_without_a_body(office: Office) -> None:
    head = office.client.head("/overdue")
    assert (head.status_code, head.content) == (200, b"")


def _addresses(page: HtmlElement, at: str) -> Iterator[str]:
    """Everything a scanner of mail might fetch: links, frames, styles, and the targets of forms."""
    for tag in page.iter("a", "link", "iframe", "img", "form", "area", "source"):
        address = tag.get("href") or tag.get("src") or tag.get("action")
        if address:
            yield urljoin(at, address).partition("#")[0]


def inline(page: HtmlElement) -> list[str]:
    """What the policy would not let run or style: none of it may stand in a page."""
    active = [str(tag.tag) for tag in page.iter("script", "style", "object", "embed", "base")]
    said = [name for tag in page.iter() for name in tag.attrib if name == "style" or name.startswith("on")]
    led = [str(to) for to in page.xpath("//@href") if str(to).strip().lower().startswith(("java", "data"))]
    return active + said + led


def test_whoever_follows_every_link_on_every_page_changes_nothing(lived: Database, tmp_path: Path) -> None:
    """As scanners of mail do: GET and HEAD of everything, from the board and from the letters' own links."""
    office = open_office(lived, tmp_path, step=lambda how: None)
    contact = contact_of(lived, "huyen-b")
    letter_links = office.link(Purpose.ACKNOWLEDGE, contact, str(letter_of(lived, contact)))
    before = everything(lived)
    waiting, seen, followed = (
        [
            HERE + each
            for each in ("/", letter_links, office.link(Purpose.REPORT, contact, "1:2021-H1"), "/letters?whole=true")
        ],
        set[str](),
        dict.fromkeys(("/l/", "/r/", "/letters/", "/assignments/"), 0),
    )

    while waiting and len(seen) < MOST_PAGES:
        address = waiting.pop(0)
        if address in seen or not address.startswith(HERE):
            continue
        seen.add(address)
        path = address.removeprefix(HERE)
        answer = office.get(path)
        gone = (403,) if path.startswith(("/l/", "/r/")) else ()  # the first letters' links have run out
        assert answer.status_code in (200, 405, 404, *gone), (path, answer.status_code)
        for prefix in followed:
            followed[prefix] += urlsplit(path).path.startswith(prefix)
        if path.startswith(("/l/", "/r/")):
            office.client.head(path)
        if answer.headers["content-type"].startswith("text/html"):
            page = fromstring(answer.text)
            assert inline(page) == [] or path.endswith("/html"), path
            waiting += list(_addresses(page, address))

    assert everything(lived) == before
    assert len(seen) > 100
    assert all(followed.values()), followed


# --- hostile input -----------------------------------------------------------------------------------------------


def test_hostile_forms_change_nothing_and_are_answered_in_words(office: Office, lived: Database) -> None:
    before = everything(lived)
    sure = {"token": office.token(), "reason": "x\x00"}
    names = ("id", "to", "until", "answer", "by", "back", "sure", "outcome-3", "figure-II.1")
    paths = (
        "/overdue/chase",
        "/assignments/3/transfer",
        "/assignments/3/ask_extension",
        "/assignments/3/explode",
        "/extensions",
        "/report/huyen-b/1/2021-H1",
        "/demo/step",
    )
    for path, value in itertools.product(paths, HOSTILE):
        answer = office.client.post(path, **form_body(dict.fromkeys(names, value) | sure))
        assert 400 <= answer.status_code < 500, (path, value, answer.status_code)
        assert trouble(answer) == ""
        assert "<h1" in answer.text
    assert everything(lived) == before


@pytest.mark.parametrize("path", ["/overdue/chase", "/assignments/3/cancel", "/demo/step"])
def test_a_body_that_is_no_form_or_too_long_is_refused(office: Office, path: str) -> None:
    token = office.token()
    huge = office.client.post(path, data={"token": token, "reason": "a" * (MAX_BODY_BYTES + 1)})
    chunked = office.client.post(
        path, content=iter([b"a=" + b"b" * 65_536] * 20), headers={"content-type": "application/x-www-form-urlencoded"}
    )
    broken = office.client.post(
        path, content=b"--x\r\nbroken", headers={"content-type": "multipart/form-data; boundary=x"}
    )
    upload = office.client.post(path, data={"token": token}, files={"f": ("x.exe", b"MZ")})
    many = office.client.post(
        path,
        content="&".join(f"a{n}=1" for n in range(3000)),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    json = office.client.post(path, json={"token": token})
    assert (huge.status_code, chunked.status_code) == (413, 413)
    assert "1 MB" in huge.text
    assert [answer.status_code for answer in (broken, upload, many, json)] == [403, 400, 400, 403]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused_in_words(office: Office, method: str) -> None:
    answer = office.client.request(method, "/overdue")
    assert answer.status_code == 405
    assert "quay lại trang trước" in answer.text


def test_an_unexpected_error_is_a_number_that_the_log_has_and_no_traceback(
    lived: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(session: Session, letter_id: int, now: datetime) -> None:
        raise ZeroDivisionError("a secret of the machine")

    with lived.write() as session:
        session.connection().execute(delete(table(LetterBody)))
        session.connection().execute(update(table(Letter)).values(state=LetterState.QUEUED))
    office = open_office(lived, tmp_path, preview=broken)

    page = office.get("/letters/1")

    assert page.status_code == 500
    assert "secret" not in page.text
    number = page.text.partition("Số tham chiếu ")[2][:8]
    assert any(number in record.getMessage() for record in caplog.records)
    assert page.headers["content-security-policy"] == office.get("/").headers["content-security-policy"]


def test_what_people_typed_is_shown_as_text(office: Office) -> None:
    office.post("/assignments/3/decline", reason='<img src=x onerror="alert(1)">')
    page = office.get("/assignments/3").text
    assert "<img" not in page
    assert "&lt;img" in page
    assert token_in(page)
