"""Every page that can be looked at, at both widths, light and dark, as the administrator; what other roles are shown
otherwise, and the second language, are ``deep``.

A page without an example here fails the first test, so that none is forgotten. What a page must hold to: axe finds
nothing, nothing scrolls sideways, nothing is asked of another host, the browser complains of nothing, under 50 KB.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from browser.conftest import Spring, spring_of, visitors
from browser.visitors import DESK, PHONE, Visitor
from ground.postgres import Ground
from ground.province import MANY, SILENT, fill
from ground.walk import flat
from lxml.html import HtmlElement, fromstring
from playwright.sync_api import Browser

from engine.api.operations import GROUPS
from engine.application.app import PAGES

pytestmark = pytest.mark.browser
MOST = 50_000
"""Bytes of HTML."""

CHANGED_STEP = "ladder=order&step=T%2B3&days=5&when=after&letter=escalation-1&by=every&to=coordinator&do=look"
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "/": ("/", "/?sort=late&period={period}", "/?kind=huyen&late=3&number=188"),
    "/accept": ("/accept", "/accept?tick=all"),
    "/admin/contact-sheet": ("/admin/contact-sheet",),
    "/account/second-factor": ("/account/second-factor",),
    "/account": ("/account",),
    "/admin": ("/admin",),
    "/admin/accounts": ("/admin/accounts",),
    "/admin/accounts/{account_id}": ("/admin/accounts/{account}",),
    "/admin/add-account": ("/admin/add-account",),
    "/admin/add-agency": ("/admin/add-agency",),
    "/admin/agencies": ("/admin/agencies", "/admin/agencies?q=huyen"),
    "/admin/agencies/{agency_id}": ("/admin/agencies/{agency}",),
    "/admin/agencies/{agency_id}/contacts/add": ("/admin/agencies/{agency}/contacts/add",),
    "/admin/agencies/{agency_id}/handover": ("/admin/agencies/{agency}/handover",),
    "/admin/agencies/{agency_id}/succession": ("/admin/agencies/{agency}/succession",),
    "/admin/agencies/{agency_id}/aliases": ("/admin/agencies/{agency}/aliases",),
    "/admin/groups": ("/admin/groups",),
    "/admin/groups/new": ("/admin/groups/new",),
    "/admin/groups/{group_id}": ("/admin/groups/huyen-21",),
    "/admin/contacts/{contact_id}": ("/admin/contacts/{contact}",),
    "/admin/calendar": ("/admin/calendar", "/admin/calendar?year=2022"),
    "/admin/log": ("/admin/log",),
    "/admin/policies": ("/admin/policies",),
    "/admin/policies/{policy_id}": ("/admin/policies/default", f"/admin/policies/default?{CHANGED_STEP}"),
    "/admin/policies/{policy_id}/edit": ("/admin/policies/default/edit",),
    "/admin/settings": ("/admin/settings",),
    "/admin/settings/address": ("/admin/settings/address",),
    "/admin/settings/{channel}": ("/admin/settings/mail", "/admin/settings/sms"),
    "/admin/webhooks": ("/admin/webhooks",),
    "/admin/webhooks/{webhook_id}": ("/admin/webhooks/{webhook}", "/admin/webhooks/2"),
    "/agencies": ("/agencies",),
    "/agencies/{agency_id}": ("/agencies/{agency}", "/agencies/ubnd-huyen-yen-thanh", "/agencies/so-ldtbxh"),
    "/assignments": ("/assignments", "/assignments?class=open_overdue", "/assignments?class=done_late&plan={loaded}"),
    "/assignments/{assignment_id}": tuple(
        f"/assignments/{{{name}}}" for name in ("reported", "returned", "declined", "extension", "late")
    ),
    "/duties/{duty_id}/amend": ("/duties/{added}/amend", "/duties/{duty}/amend"),
    "/extensions": ("/extensions",),
    "/promises": ("/promises",),
    "/queue": ("/queue",),
    "/health": ("/health",),
    "/leadership": ("/leadership", "/leadership?plan={plan}&period={period}", "/leadership?plan={plan}&whole=true"),
    "/leadership/frozen/{frozen_id}": ("/leadership/frozen/{frozen}",),
    "/leadership/frozen/{frozen_id}/rows": ("/leadership/frozen/{frozen}/rows?class=open_overdue",),
    "/letters": ("/letters", "/letters?kind=chase"),
    "/letters/{letter_id}": ("/letters/{letter}", "/letters/{queued}"),
    "/incoming": ("/incoming", "/incoming?waiting=yes"),
    "/incoming/waiting": ("/incoming/waiting",),
    "/incoming/{message_id}": ("/incoming/{message}",),
    "/overdue": ("/overdue", "/overdue?kind=huyen"),
    "/papers": ("/papers",),
    "/papers/dispatch": ("/papers/dispatch",),
    "/papers/settings/{agency_id}": ("/papers/settings/so-ldtbxh",),
    "/plans": ("/plans", "/plans?q=188"),
    "/plans/past": ("/plans/past",),
    "/plans/import": ("/plans/import",),
    "/plans/drafts/{draft_id}": ("/plans/drafts/{draft}", "/plans/drafts/{draft}?page=2"),
    "/plans/drafts/{draft_id}/duties/{key}": ("/plans/drafts/{draft}/duties/{draft_duty}",),
    "/plans/drafts/{draft_id}/lines/{line}": ("/plans/drafts/{draft}/lines/{draft_line}",),
    "/plans/drafts/{draft_id}/names/{n}": ("/plans/drafts/{draft}/names/{draft_name}",),
    "/plans/load": ("/plans/load",),
    "/plans/{plan_id}/duties/new": ("/plans/{plan}/duties/new",),
    "/plans/{plan_id}/reports/new": ("/plans/{plan}/reports/new",),
    "/plans/{plan_id}/end": ("/plans/{plan}/end",),
    "/plans/{plan_id}/years": ("/plans/{plan}/years",),
    "/plans/{plan_id}/successions": ("/plans/{plan}/successions",),
    "/plans/{plan_id}/figures": ("/plans/{plan}/figures", "/plans/{plan}/figures?period={period}"),
    "/plans/{plan_id}/renew": ("/plans/{plan}/renew",),
    "/plans/{plan_id}": ("/plans/{plan}", "/plans/{loaded}"),
    "/plans/{plan_id}/activate": ("/plans/{loaded}/activate",),
    "/plans/{plan_id}/simulate": ("/plans/{loaded}/simulate?until=2021-06-30",),
    "/help/{page:path}": ("/help/vi/van-hanh", "/help/operating/mail", "/help/vi/van-hanh/sao-luu", "/help/settings"),
    "/report/{agency_id}/{plan_id}/{period}": (
        "/report/{agency}/{plan}/{period}",
        "/report/ubnd-huyen-yen-thanh/{plan}/{period}",
    ),
    "/reorganisation": ("/reorganisation", "/reorganisation?on=2025-07-01"),
    "/search": ("/search", "/search?q=xay+dung", "/search?q=huyen&kind=letter"),
    "/views": ("/views", "/views?path=%2Foverdue%3Fkind%3Dhuyen"),
    "/report/{agency_id}/{plan_id}/{period}/thread": ("/report/{agency}/{plan}/{period}/thread",),
    "/agencies/{agency_id}/coordinated": ("/agencies/{agency}/coordinated", "/agencies/so-ldtbxh/coordinated"),
    "/wishes": ("/wishes",),
    "/wishes/{contact_id}": ("/wishes/{contact}",),
    "/year": ("/year",),
}
OPEN = {
    "/guide": ("/guide", "/guide?page=/overdue"),
    "/api": ("/api", *(f"/api?group={group}" for group in GROUPS)),
    "/l/{token}": ("/l/{seen}",),
    "/r/{token}": ("/r/{report}",),
    "/r/{token}/thread": ("/r/{report}/thread",),
    "/expired/{place}/{token}": ("/expired/l/{seen}",),
    "/u/{token}": ("/u/{pace}",),
    "/d/{token}": ("/d/{proposed}",),
    "/sign-in": ("/sign-in", "/sign-in?to=%2Foverdue"),
    "/arrived/{key}": ("/arrived/{arrived}",),
    "/sign-in/link/{key}": ("/sign-in/link/{sign_in}",),
}
"""Pages for those who are not signed in."""
NO_PAGES = {
    "/agencies/{agency_id}/promises",  # leads to the desk
    "/styleguide",  # in the demonstration alone
    "/feed/{name}",
    "/plans/{plan_id}/file.yaml",
    "/plans/{plan_id}/report.docx",
    "/assignments/{assignment_id}/file.docx",
    "/working/{ticket}",
    "/leadership/report.docx",
    "/leadership/frozen/{frozen_id}/ranking.docx",
    "/papers/settings/{agency_id}/letterhead.docx",
    "/letters/{letter_id}/html",
    "/guide/pictures/{name}.webp",
    "/help",  # leads to the contents in the reader's language
    "/agencies/{agency_id}/files/{digest}",
    "/r/{token}/files/{digest}",
    "/admin/calendar/preview",
    "/admin/contact-sheet/template.xlsx",
    "/plans/drafts/{draft_id}/file.yaml",
    "/sign-in/sso",
    "/sign-in/sso/return",
    "/setup",
    "/sign-in/code",
}
"""Files, a frame, and addresses that only send one on to another (``/setup`` once there is an account: before, see
test_setup_page; ``/sign-in/code`` without a session that waits)."""


WORDS = {"href", "value", "title", "alt", "action", "placeholder", "aria-label", "content"}
"""Attributes that hold words and addresses."""


@dataclass
class Looked:
    """What axe has looked at: parts of pages, and the contrast of kinds of elements."""

    parts: set[tuple[str, ...]] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def looked() -> Looked:
    return Looked()


@pytest.fixture(scope="module")
def busy(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Spring, dict[str, Any]]]:
    with spring_of(ground, tmp_path_factory.mktemp("busy")) as spring:
        yield spring, fill(spring.system)


def test_every_page_has_an_example() -> None:
    served = {route.path for page in PAGES for route in flat(page.router) if "GET" in route.methods}  # type: ignore
    assert served == {*EXAMPLES, *OPEN, *NO_PAGES}


def addresses(pages: Mapping[str, tuple[str, ...]], names: Mapping[str, Any]) -> list[str]:
    return [each.format(**names) for some in pages.values() for each in some]


def first_of_each(pages: Mapping[str, tuple[str, ...]], names: Mapping[str, Any]) -> set[str]:
    return {some[0].format(**names) for some in pages.values()}


def walk(
    visitor: Visitor, paths: Sequence[str], looked: Looked, *, always: Container[str], refused: bool = False
) -> dict[str, list[str]]:
    """What is wrong, by address. Axe looks where something new stands, and at contrast wherever an element of another
    kind stands. Pages but those of ``always`` are passed by if they are built of nothing that was not looked at before:
    axe reads no words, so it would find nothing else. ``refused``: those that the visitor may not see are passed by."""
    wrong: dict[str, list[str]] = {}
    for path in paths:
        if path not in always:
            asked = visitor.page.request.get(visitor.url + path)
            if refused and asked.status in (403, 404):
                continue
            if asked.ok and not parts(asked.text()) - looked.parts:
                continue
        answer = visitor.loads(path)
        found = [] if answer.ok else [f"answered {answer.status}"]
        fresh = parts(answer.text()) - looked.parts
        found += visitor.looks_both_ways(looked.kinds, whole=bool(fresh))
        looked.parts |= fresh
        if len(answer.body()) > MOST:
            found.append(f"weighs {len(answer.body())} bytes")
        if found:
            wrong[path] = found
        visitor.faults.clear()
    return wrong


def parts(html: str) -> set[tuple[str, ...]]:
    """Of what the main part is built: each element in that around it, each heading after the one before. Axe asks
    whether words stand somewhere and reads none of them."""
    main = fromstring(html).find(".//main")
    if main is None:
        return set()
    headings = [each.tag for each in main.iter("h1", "h2", "h3", "h4")]
    inside = {(built(each.getparent()), built(each)) for each in main.iterdescendants("*")}
    return inside | set(pairwise(["", *headings]))


def built(element: HtmlElement) -> str:
    attributes = (
        f"{name}={'' if name in WORDS else re.sub('[0-9.-]+', '0', value)}" for name, value in element.items()
    )
    words = any(each and each.strip() for each in (element.text, *(each.tail for each in element)))
    return f"{element.tag} {' '.join(attributes)}{'…' if words else ''}"


@pytest.mark.parametrize(
    ("language", "width", "dark"),
    [("vi", DESK, False), pytest.param("en", PHONE, True, marks=pytest.mark.deep)],
)
def test_the_administrator_finds_every_page_in_order(
    chromium: Browser,
    busy: tuple[Spring, dict[str, Any]],
    looked: Looked,
    language: str,
    width: int,
    dark: bool,
) -> None:
    """Of each page its first example, and the others if something new stands on them."""
    spring, names = busy
    always = first_of_each(EXAMPLES, names)
    with visitors(chromium, spring, width, language, dark=dark, scripts=True, axe_everywhere=True) as come:
        assert walk(come("administrator"), addresses(EXAMPLES, names), looked, always=always) == {}


@pytest.mark.parametrize(
    ("language", "width", "dark"),
    [("vi", PHONE, False), pytest.param("en", DESK, True, marks=pytest.mark.deep)],
)
def test_what_is_open_to_all_is_in_order(
    chromium: Browser,
    busy: tuple[Spring, dict[str, Any]],
    looked: Looked,
    language: str,
    width: int,
    dark: bool,
) -> None:
    spring, names = busy
    with visitors(chromium, spring, width, language, dark=dark, scripts=True, axe_everywhere=True) as come:
        paths = addresses(OPEN, names)
        assert walk(come(), paths, looked, always=paths) == {}


@pytest.mark.deep
@pytest.mark.parametrize(
    ("role", "agency_id"), [("coordinator", SILENT), ("monitor", ""), ("head", MANY), ("leadership", "")]
)
def test_each_role_finds_its_own_pages_in_order(
    chromium: Browser,
    busy: tuple[Spring, dict[str, Any]],
    looked: Looked,
    role: str,
    agency_id: str,
) -> None:
    spring, names = busy
    paths = addresses(EXAMPLES, names)
    with visitors(chromium, spring, PHONE, "vi", scripts=True, axe_everywhere=True) as come:
        assert walk(come(role, agency_id), paths, looked, always=(), refused=True) == {}
