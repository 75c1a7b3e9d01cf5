"""Zalo notifications against their documented requests and answers: by template, with tokens that work once, and
quietly by SMS where Zalo did not take the letter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from ground.factory import add_contact, at, lay, rows, swept
from ground.post import LetterBox, post_office
from ground.web_servers import receiving

from engine.accounts.signed_links import Signer
from engine.errors import BadInput
from engine.store.database import Database
from engine.store.facts import write_fact
from engine.store.records import Fact, Letter
from engine.terms import LetterState, Role
from notifications.contract.channel import About, Channel, Fate, Outcome, Outgoing
from notifications.delivery import deliver
from notifications.sms.gateway import BALANCE, LOGIN, reference
from notifications.sms.zalo import (
    CLAIM,
    CLAIM_TIME,
    CODES,
    VALUES,
    NoToken,
    Zalo,
    ZaloFirst,
    ZaloTokens,
    read_templates,
)

NOW = datetime(2021, 6, 17, 1, tzinfo=UTC)
KEY = "letter:12:sms:2021-06-17"
TEMPLATES = read_templates(
    json.dumps(
        {
            "reminder": {"id": "230001", "parameters": {"ke_hoach": "plan", "han": "due", "lien_ket": "link"}},
            "*": {"id": "230000", "parameters": {"noi_dung": "text"}},
        }
    )
)
LETTER = Outgoing(
    key=KEY,
    to="0912 345 678",
    text="KH188 IV.2.1: han 17/6/2021",
    at=NOW,
    values={"kind": "reminder", "plan": "KH188", "due": "17/6/2021", "link": "https://x.example/l/1"},
)
TAKEN = {"error": 0, "message": "Success", "data": {"msg_id": "a4a4b9e4bba2d6fc8fb3", "sent_time": "1623891600000"}}


class Zns:
    """Zalo's two servers: one access token after the other, each refresh token works once."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers) or [TAKEN]
        self.sent: list[httpx.Request] = []
        self.renewed: list[dict[str, list[str]]] = []
        self.secrets: list[str] = []
        self.refresh_token = "r0"

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "oauth.zaloapp.com":
            return self._renew(request)
        self.sent.append(request)
        return httpx.Response(200, json=self.answers[min(len(self.sent), len(self.answers)) - 1])

    def _renew(self, request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        self.renewed.append(form)
        self.secrets.append(request.headers["secret_key"])
        if form["refresh_token"] != [self.refresh_token]:
            return httpx.Response(200, json={"error": -14014, "error_name": "Invalid refresh token"})
        number = len(self.renewed)
        self.refresh_token = f"r{number}"
        lasting = {"access_token": f"a{number}", "refresh_token": self.refresh_token, "expires_in": "90000"}
        return httpx.Response(200, json=lasting)

    def body(self, number: int = 0) -> dict[str, Any]:
        return dict(json.loads(self.sent[number].content))


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tokens(database: Database, zns: Zns, clock: Clock, refresh_token: str = "r0") -> ZaloTokens:
    signer = Signer("a key for tests")
    return ZaloTokens(database, signer, "app", "s3cret", refresh_token, now=clock, transport=zns.transport())


def zalo(database: Database, zns: Zns, clock: Clock, **more: Any) -> Zalo:
    more = {"production": True} | more
    return Zalo(tokens(database, zns, clock), TEMPLATES, transport=zns.transport(), **more)


def sent(channel: Zalo | ZaloFirst, letter: Outgoing = LETTER) -> Outcome:
    return asyncio.run(channel.send(letter))


def test_a_letter_goes_by_the_template_of_its_kind(database: Database, clock: Clock) -> None:
    zns = Zns()
    outcome = sent(zalo(database, zns, clock))
    assert (outcome.fate, outcome.receipt) == (Fate.ACCEPTED, reference(KEY))
    assert zns.body() == {
        "phone": "84912345678",
        "template_id": "230001",
        "template_data": {"ke_hoach": "KH188", "han": "17/6/2021", "lien_ket": "https://x.example/l/1"},
        "tracking_id": reference(KEY),
    }
    assert zns.sent[0].headers["access_token"] == "a1"
    assert zns.renewed == [{"refresh_token": ["r0"], "app_id": ["app"], "grant_type": ["refresh_token"]}]
    assert zns.secrets == ["s3cret"]


def test_another_kind_goes_by_the_common_template(sqlite_database: Database, clock: Clock) -> None:
    zns = Zns()
    sent(
        zalo(sqlite_database, zns, clock),
        Outgoing(key=KEY, to="0912345678", text="Xin chao", at=NOW, values={"kind": "chase"}),
    )
    assert (zns.body()["template_id"], zns.body()["template_data"]) == ("230000", {"noi_dung": "Xin chao"})


def test_outside_production_only_the_administrators_of_the_account_get_it(
    sqlite_database: Database, clock: Clock
) -> None:
    zns = Zns()
    sent(zalo(sqlite_database, zns, clock, production=False))
    assert zns.body()["mode"] == "development"


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_documented_code_has_its_fate(sqlite_database: Database, clock: Clock, code: str) -> None:
    zns = Zns({"error": int(code), "message": "said of 84912345678"})
    outcome = sent(zalo(sqlite_database, zns, clock))
    assert (outcome.fate, outcome.code) == (CODES[code].fate, code)
    assert "84912345678" not in outcome.reply


@pytest.mark.parametrize(("code", "said"), [("-115", BALANCE), ("-137", BALANCE), ("-104", LOGIN), ("-124", LOGIN)])
def test_what_only_a_person_can_mend_stops_the_channel(
    sqlite_database: Database, clock: Clock, code: str, said: object
) -> None:
    assert str(said) in sent(zalo(sqlite_database, Zns({"error": int(code)}), clock)).reply


def test_an_undocumented_answer_is_in_doubt(sqlite_database: Database, clock: Clock) -> None:
    assert sent(zalo(sqlite_database, Zns({"error": -99999}), clock)).fate is Fate.UNKNOWN
    assert sent(zalo(sqlite_database, Zns({"ok": True}), clock)).fate is Fate.UNKNOWN


def test_values_that_a_template_refuses_are_about_the_letter(sqlite_database: Database, clock: Clock) -> None:
    assert sent(zalo(sqlite_database, Zns({"error": -132}), clock)).about is About.LETTER


def test_a_token_is_kept_for_its_day_and_renewed_by_the_next_refresh_token(database: Database, clock: Clock) -> None:
    zns = Zns()
    sent(zalo(database, zns, clock))
    sent(zalo(database, zns, clock))  # another process
    assert len(zns.renewed) == 1
    clock.now += timedelta(hours=25)
    assert sent(zalo(database, zns, clock)).fate is Fate.ACCEPTED
    assert [each["refresh_token"] for each in zns.renewed] == [["r0"], ["r1"]]
    assert zns.sent[-1].headers["access_token"] == "a2"


def test_a_token_that_zalo_no_longer_takes_is_renewed_at_once(sqlite_database: Database, clock: Clock) -> None:
    zns = Zns(TAKEN, {"error": -124, "message": "Access token invalid"}, TAKEN)
    sent(zalo(sqlite_database, zns, clock))
    assert sent(zalo(sqlite_database, zns, clock)).fate is Fate.ACCEPTED
    assert [each.headers["access_token"] for each in zns.sent] == ["a1", "a1", "a2"]


def test_of_two_processes_one_renews(sqlite_database: Database, clock: Clock) -> None:
    zns = Zns()

    async def both() -> list[str]:
        ways = [tokens(sqlite_database, zns, clock) for _ in range(2)]
        return await asyncio.gather(*(each.access_token() for each in ways))

    assert asyncio.run(both()) == ["a1", "a1"]
    assert len(zns.renewed) == 1


def test_a_refresh_token_that_was_used_elsewhere_is_said_and_another_one_heals(
    sqlite_database: Database, clock: Clock
) -> None:
    zns = Zns()
    zns.refresh_token = "r7"
    outcome = sent(zalo(sqlite_database, zns, clock))
    assert (outcome.fate, outcome.code) == (Fate.RETRY, "-14014")
    assert "DONDOC_ZALO_REFRESH_TOKEN" in outcome.reply
    assert asyncio.run(tokens(sqlite_database, zns, clock, "r7").access_token()) == "a2"


def test_the_claim_of_a_process_that_died_ends(sqlite_database: Database, clock: Clock) -> None:
    with sqlite_database.write() as session:
        write_fact(session, CLAIM, (NOW + CLAIM_TIME).isoformat())
    clock.now += CLAIM_TIME
    assert asyncio.run(tokens(sqlite_database, Zns(), clock).access_token()) == "a1"


def test_a_renewal_that_fails_on_the_way_is_tried_again(sqlite_database: Database, clock: Clock) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("no answer", request=request)

    broken = ZaloTokens(sqlite_database, Signer("k"), "app", "s", "r0", now=clock, transport=httpx.MockTransport(away))
    with pytest.raises(NoToken) as raised:
        asyncio.run(broken.access_token())
    assert not raised.value.final


def test_tokens_are_stored_sealed(sqlite_database: Database, clock: Clock) -> None:
    sent(zalo(sqlite_database, Zns(), clock))
    stored = " ".join(each.value for each in rows(sqlite_database, Fact))
    assert '"a1"' not in stored
    assert "r1" not in json.dumps([each.value for each in rows(sqlite_database, Fact) if each.name != "zalo_tokens"])


class Sms(Channel):
    """An SMS gateway that takes everything."""

    name, parallel = "sms", 2

    def __init__(self) -> None:
        self.letters: list[Outgoing] = []

    async def send(self, letter: Outgoing) -> Outcome:
        self.letters.append(letter)
        return Outcome(fate=Fate.ACCEPTED, code="0", reply="queued", receipt="receipt")


@pytest.mark.parametrize(("code", "by_sms"), [(0, 0), (-118, 1), (-115, 1), (-100, 0), (-131, 1), (-132, 1)])
def test_what_zalo_certainly_did_not_take_goes_by_sms(
    sqlite_database: Database, clock: Clock, code: int, by_sms: int
) -> None:
    sms = Sms()
    outcome = sent(ZaloFirst(zalo(sqlite_database, Zns({"error": code}), clock), sms))
    assert len(sms.letters) == by_sms
    if by_sms:
        assert (outcome.fate, outcome.reply) == (Fate.ACCEPTED, f"[Zalo: {code}] queued")


def test_without_a_gateway_the_letter_is_zalos_alone(sqlite_database: Database, clock: Clock) -> None:
    outcome = sent(ZaloFirst(zalo(sqlite_database, Zns({"error": -118}), clock), None))
    assert (outcome.fate, outcome.code) == (Fate.REFUSED, "-118")


def test_a_kind_without_a_template_goes_by_sms(sqlite_database: Database, clock: Clock) -> None:
    zns, sms = Zns(), Sms()
    only = {"reminder": TEMPLATES["reminder"]}
    way = Zalo(tokens(sqlite_database, zns, clock), only, transport=zns.transport(), production=True)
    sent(ZaloFirst(way, sms), Outgoing(key=KEY, to="0912345678", text="Xin chao", at=NOW, values={"kind": "chase"}))
    assert (len(sms.letters), zns.sent) == (1, [])


@pytest.mark.parametrize(
    "setting",
    ["x", "[]", '{"*": {}}', '{"*": {"id": "", "parameters": {}}}', '{"*": {"id": "1", "parameters": {"a": "email"}}}'],
)
def test_templates_that_cannot_be_read_are_refused_with_what_there_is(setting: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_templates(setting)
    assert VALUES[0] in str(refused.value)


@pytest.fixture
def servers() -> Iterator[tuple[str, Any, str]]:
    lasting = {"access_token": "a1", "refresh_token": "r1", "expires_in": "90000"}
    with receiving(reply=json.dumps(TAKEN).encode()) as sending, receiving(reply=json.dumps(lasting).encode()) as oauth:
        yield sending.url, sending, oauth.url


def test_over_a_real_connection(sqlite_database: Database, servers: tuple[str, Any, str]) -> None:
    url, sending, oauth = servers
    way = Zalo(ZaloTokens(sqlite_database, Signer("k"), "app", "s", "r0", url=oauth), TEMPLATES, url=url)
    assert sent(way).fate is Fate.ACCEPTED
    assert sending.got[0].headers["access_token"] == "a1"
    assert sending.got[0].data["template_id"] == "230001"


def delivered(database: Database, zns: Zns, clock: Clock) -> tuple[LetterBox, list[Any]]:
    """The day before a due date, when people with a telephone hear by every way; without an SMS gateway."""
    laid = lay(database, now=at("2021-04-07"))
    add_contact(database, "huyen-a", Role.DEPUTY, phone="0912345678", email="pho@huyen-a.example")
    for day in ("2021-06-07", "2021-06-16"):
        swept(laid.database, at(day))
    mail = LetterBox()
    clock.now = at("2021-06-16", "09:00")
    office = post_office(mail)
    office = replace(office, channels={"email": mail, "sms": ZaloFirst(zalo(database, zns, clock), None)})
    asyncio.run(deliver(database, clock.now, office))
    return mail, rows(database, Letter, channel="sms")


def test_a_reminder_carries_the_values_of_its_letter(sqlite_database: Database, clock: Clock) -> None:
    zns = Zns()
    _, letters = delivered(sqlite_database, zns, clock)
    assert [each.state for each in letters] == [LetterState.ACCEPTED]
    body = zns.body()
    assert (body["phone"], body["template_id"]) == ("84912345678", "230001")
    assert (body["template_data"]["ke_hoach"], body["template_data"]["han"]) == ("KH12", "17/6/2021")
    assert body["template_data"]["lien_ket"].startswith("http://127.0.0.1:8188/")


def test_who_is_not_on_zalo_still_hears_by_mail(sqlite_database: Database, clock: Clock) -> None:
    mail, letters = delivered(sqlite_database, Zns({"error": -118, "message": "Zalo account not existed"}), clock)
    assert [each.state for each in letters] == [LetterState.REFUSED]
    assert "pho@huyen-a.example" in [each.to for each in mail.letters]
