"""An office with a real Postfix, Dovecot, Kannel and gammu-smsd: twenty agencies answer its letters from ten mail
programs, with files, in their own words, below the quotation; one mailbox is dead, one forwards to a dead one, two
answer by SMS. Every message ends in a thread, every writer is answered, nothing is lost."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from ground.dovecot import PASSWORD, Dovecot, running_dovecot
from ground.factory import Laid, agency, at, directory, item, lay, plan_file, row, rows, swept
from ground.incoming.mail_programs import BY_PROGRAM, Reply
from ground.post import KEY, LetterBox, post_office
from ground.postfix import Postfix, running_postfix
from ground.sms_services import kannel_with, smsd_in, wait_until
from imapclient import IMAPClient
from sqlalchemy import update

from config.settings import Settings
from engine.accounts.signed_links import Signer
from engine.admin.first_steps import CheckLine
from engine.rules.calendar import PLAN_TIME
from engine.store.database import Database, table
from engine.store.records import (
    AnswerCode,
    Assignment,
    Contact,
    Draft,
    Evidence,
    Extension,
    Incoming,
    IncomingMessage,
    Letter,
    ThreadEntry,
)
from engine.terms import LetterState, Role, State
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.delivery import DeliveryContext, deliver
from notifications.email.connection import Relay, Security
from notifications.email.mime import Sender
from notifications.email.signed_addresses import RETURN_ADDRESSES
from notifications.email.smtp import Email
from notifications.inbound import answers
from notifications.inbound.fetching import InboundSources, Inbox, receive
from notifications.inbound.message import MailProof
from notifications.letters.renderer import LetterRenderer, RendererSettings
from notifications.sms.replies import from_kannel
from workflows.operation.trial_letter import round_trip
from workflows.run import passes
from workflows.run.system import System, compose

WRITERS = 20
PROOF = MailProof(Signer(KEY), "mx.so.example")
CODES = Signer(KEY).secret("short-codes").encode()
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF\n" + bytes(range(256)) * 1_200
TEXTS = (
    "Đã nhận, cảm ơn.",
    "UBND xã xác nhận đã nhận nhiệm vụ.",
    "Đã nhận.\nĐề nghị gia hạn đến {day} do chờ số liệu của các xóm.",
    "XN; KK: chưa có kinh phí",
    "Gửi Sở báo cáo.",
    "Đề nghị Sở gửi lại biểu mẫu.",
    "Rõ",
    "Đã nhận, gửi kèm báo cáo.",
    "Hỏi: báo cáo theo mẫu nào?",
    "Xã đã nhận.",
)
WITH_FILE = ("Gửi Sở báo cáo.", "Đã nhận, gửi kèm báo cáo.")


@dataclass(frozen=True)
class World:
    postfix: Postfix
    dovecot: Dovecot
    laid: Laid
    now: datetime
    files: Path

    def relay(self) -> Email:
        return Email(
            Relay(
                host="localhost",
                sender=Sender("nhacviec@so.example", "Theo dõi nhiệm vụ"),
                port=self.postfix.port,
                security=Security.STARTTLS,
                ca_file=str(self.postfix.trusted),
                bounce_domain="so.example",
                bounce_secret=Signer(KEY).secret(RETURN_ADDRESSES),
            )
        )

    def inbox(self, user: str = "tra-loi") -> Inbox:
        port, plain = self.dovecot.port, Security.NONE
        return Inbox(host="127.0.0.1", username=user, password=PASSWORD, port=port, security=plain, timeout=10)

    def office(self, sms: LetterBox | None = None) -> DeliveryContext:
        settings = RendererSettings("https://theodoi.so.example", reply_domain="so.example")
        renderer = LetterRenderer(Signer(KEY), settings)
        channels = {"email": self.relay(), "sms": sms or _Phone()}
        return replace(post_office(), channels=channels, renderer=renderer, short_code_key=CODES)

    def send(self, now: datetime, sms: LetterBox | None = None) -> None:
        asyncio.run(deliver(self.laid.database, now, self.office(sms)))

    def take_in(self, now: datetime) -> dict[str, int]:
        return receive(self.laid.database, now, InboundSources(PROOF, self.inbox(), files=self.files))

    def mailbox(self, user: str, number: int) -> list[EmailMessage]:
        """The newest letters of a mailbox, once ``number`` are there."""
        deadline = time.monotonic() + 20
        while True:
            with IMAPClient("127.0.0.1", port=self.dovecot.port, ssl=False, timeout=10) as client:
                client.login(user, PASSWORD)
                client.select_folder("INBOX", readonly=True)
                found = client.fetch(client.search("ALL"), ["RFC822"])
            if len(found) >= number or time.monotonic() > deadline:
                raws = [found[uid][b"RFC822"] for uid in sorted(found)]
                return [message_from_bytes(raw, policy=policy.default) for raw in raws]
            time.sleep(0.1)

    def waits_for(self, number: int) -> None:
        """Until so many messages lie in the office's mailbox."""
        log = (self.postfix.folder / "log").read_text()
        assert len(self.mailbox("tra-loi", number)) >= number, log


class _Phone(LetterBox):
    name = "sms"

    async def send(self, letter: Outgoing) -> Outcome:
        self.letters.append(letter)
        return Outcome(fate=Fate.ACCEPTED, receipt=f"dd-{letter.key}")


def commune(number: int) -> str:
    return f"xa-{number:02}"


def coordinator(number: int) -> str:
    """The mailbox of a commune; two are odd."""
    return {19: "dead@huyen.example", 20: "forwards@huyen.example"}.get(number, f"dm{number:02}@huyen.example")


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> Iterator[World]:
    """On the next working morning, since nothing leaves on another day: each commune owes a report in four weeks."""
    people = [f"dm{n:02}" for n in range(1, WRITERS - 1)]
    boxes = {f"{each}@huyen.example": f"{each}/Maildir/" for each in people}
    boxes |= {"forwards-kept@huyen.example": "forwards/Maildir/", "dead@huyen.example": "dead/Maildir/"}
    boxes |= {"monitor@tinh.example": "monitor/Maildir/"}
    boxes |= {f"{each}@so.example": "tra-loi/Maildir/" for each in ("nhacviec", "reply", "bounce")}
    today = datetime.now(PLAN_TIME).date()
    communes = {
        f"xa_{n:02}": agency(commune(n))
        | {"names": [{"name": f"UBND xã số {n}"}]}
        | {"contacts": [{"role": Role.COORDINATOR, "email": coordinator(n)}]}
        for n in range(1, WRITERS + 1)
    }
    department = {"contacts": [{"role": Role.MONITOR, "email": "monitor@tinh.example"}]}
    due = today + timedelta(days=28)
    rules = {"gui-so": {"source": "plan", "to": "so-chinh", "on": due}}
    owed = item(1, *map(commune, range(1, WRITERS + 1)), cadence=["once"])
    plan = plan_file(items=(owed,), report_rules=rules, issued_on=today, year=due.year)
    morning = _next_weekday(today)
    laid = lay(sqlite_database, now=at(morning), plan=plan, bodies=directory(so_chinh=department, **communes))
    with running_dovecot() as dovecot, running_postfix(boxes, dovecot.folder / "mail") as postfix:
        yield World(postfix, dovecot, laid, at(morning), tmp_path / "files")


def _next_weekday(today: Any) -> str:
    """The plan of these tests knows no holidays."""
    day = today + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return str(day.isoformat())


def post(world: World, raw: bytes, sender: str, to: str) -> None:
    context = ssl.create_default_context(cafile=str(world.postfix.trusted))
    with smtplib.SMTP("localhost", world.postfix.port, timeout=10) as relay:
        relay.starttls(context=context)
        relay.sendmail(sender, [to], raw)


def reply(world: World, number: int, text: str) -> str:
    """A commune answers its letter as one of the ten programs does; the text."""
    user = f"dm{number:02}" if number < 19 else "forwards"
    letter = world.mailbox(user, 1)[0]
    said = text.format(day=f"{world.now + timedelta(days=40):%d/%m/%Y}")
    program = list(BY_PROGRAM)[number % len(BY_PROGRAM)]
    files = [("bao-cao.pdf", PDF)] if text in WITH_FILE else []
    raw = BY_PROGRAM[program](
        Reply(
            letter=letter,
            sender=coordinator(number),
            text=said,
            number=number,
            files=files,
            authenticated="mx.so.example; dmarc=pass header.from=huyen.example",  # as the office's filter writes it
        )
    )
    post(world, raw, coordinator(number), str(letter["Reply-To"]))
    return said


def test_every_message_stands_in_a_thread_every_writer_is_answered_and_nothing_is_lost(world: World) -> None:
    database = world.laid.database
    swept(database, world.now)
    world.send(world.now)
    writers = [n for n in range(1, WRITERS + 1) if n != 19]
    said = {n: reply(world, n, TEXTS[n % len(TEXTS)]) for n in writers}
    world.waits_for(len(writers) + 2)  # and the dead mailbox, and the copy of the one that forwards
    counts = world.take_in(world.now + timedelta(minutes=30))

    assert (counts.get("failed", 0), counts.get("bounced", 0), counts.get("bounced_elsewhere", 0)) == (0, 1, 1)
    kept = {each.agency_id: each for each in rows(database, IncomingMessage)}
    assert {commune(n) for n in writers} == set(kept)
    assert all(each.about and each.supervisor_id == "so-chinh" for each in kept.values())
    assert {n: kept[commune(n)].own_text.split() for n in writers} == {n: said[n].split() for n in writers}
    assert len(rows(database, Incoming)) == len(writers) + 2
    states = {n: _state(world, n) for n in writers}
    proposed = {n for n in writers if "gia hạn" in said[n]}  # acknowledged in the same mail: a person confirms both
    sure = [n for n in writers if n not in proposed and ("nhận" in said[n] or said[n] == "Rõ")]
    assert {states[n] for n in sure} == {State.ACKNOWLEDGED}
    assert {states[n] for n in proposed} == {State.ASSIGNED}
    with_file = [n for n in writers if TEXTS[n % len(TEXTS)] in WITH_FILE]
    assert len(rows(database, Draft)) == len(rows(database, Evidence)) == len(with_file)
    assert (len(rows(database, Extension)), len(rows(database, ThreadEntry))) == (0, 4)
    waiting = {each.agency_id for each in kept.values() if each.waits}
    assert waiting == {commune(n) for n in writers if "biểu mẫu" in said[n] or n in proposed}

    dead, forwards = (row(database, Contact, email=f"{name}@huyen.example") for name in ("dead", "forwards"))
    assert ("email" in dead.suppressed, forwards.suppressed) == (True, {})
    world.send(world.now + timedelta(minutes=31))
    for n in writers:
        answer = world.mailbox(f"dm{n:02}" if n < 19 else "forwards", 2)[-1]
        assert "ghi nhận" in str(answer["Subject"]).lower(), (n, said[n])
        assert answer["In-Reply-To"] == f"<{n}@may.example>"
    assert {each.state for each in rows(database, Letter) if each.key.startswith("answer:")} == {LetterState.ACCEPTED}


def _state(world: World, number: int) -> State:
    return State(row(world.laid.database, Assignment, agency_id=commune(number)).state)


def test_two_of_them_answer_by_sms_through_kannel_and_gammu(world: World, tmp_path: Path) -> None:
    database, phone = world.laid.database, _Phone()
    numbers = {1: "0912345671", 2: "0912345672"}
    with database.write() as session:
        c = table(Contact)
        for n, number in numbers.items():
            only = {"phone": number, "email": ""}
            session.connection().execute(update(c).where(c.c.email == coordinator(n)).values(**only))
    swept(database, world.now)
    world.send(world.now, phone)
    codes = {each.contact_id: each.code for each in rows(database, AnswerCode)}
    first, second = (codes[row(database, Contact, phone=number).id] for number in numbers.values())
    later = world.now + timedelta(minutes=30)
    with ExitStack() as stack:
        kannel = stack.enter_context(kannel_with(_folder(tmp_path, "kannel"), f"+84912345671 6089 text XN {first}"))
        wait_until(lambda: bool(kannel.raw), "the SMS through Kannel")
        with database.write() as session:
            answers.take_sms(session, "kannel", from_kannel(kannel.raw[0]), later)
        smsd = stack.enter_context(smsd_in(_folder(tmp_path, "gammu")))
        text = f"KK {second} chưa có kinh phí"
        smsd.receive(1, "+84912345672", text)
        inbox = smsd.folder / "inbox"
        whole = 2 * len(text)  # the clock of the test is ahead, so that a half-written file would be read
        wait_until(lambda: any(each.stat().st_size >= whole for each in inbox.glob("IN*.txt")), "the SMS by gammu")
        sources = InboundSources(PROOF, gammu_inbox=inbox)
        assert receive(database, later, sources)["said"] == 1
    kept = {each.agency_id: each for each in rows(database, IncomingMessage)}
    assert (kept["xa-01"].done[0]["act"], kept["xa-02"].done[0]["act"]) == ("acknowledged", "difficulty")
    phone.letters.clear()
    world.send(later, phone)
    assert [each.text.strip() for each in phone.letters] == [
        "Đã ghi nhận: xác nhận đã nhận IV.1.1.",
        "Đã ghi nhận: khó khăn, vướng mắc về IV.1.1.",
    ]


WEEKS_TEXTS = (
    "Đã nhận, cảm ơn.",
    "XN; KK: chưa có kinh phí",
    "Đề nghị Sở gửi lại biểu mẫu.",
    "Đề nghị gia hạn đến {day} do chờ số liệu của các xóm.",
    "Gửi Sở báo cáo.",
    "Hỏi: báo cáo theo mẫu nào?",
    "Chưa thực hiện được",
)
LAST_DAY = 40
"""Of the letters' clock: mail older than 45 days is not fetched."""


@dataclass
class Weeks:
    """What the commune's people wrote, by Message-ID; to what; and how many copies of letters came back."""

    said: dict[str, int]
    of_digests: int = 0
    letters: int = 0


@pytest.mark.deep
def test_six_weeks_of_letters_digests_files_forwards_and_bounces_lose_nothing(world: World) -> None:
    """Each writer answers each letter on the day it comes, from the first to the weekly digests of what is overdue."""
    database, weeks, began = world.laid.database, Weeks({}), time.monotonic()
    seen = dict.fromkeys(range(1, WRITERS + 1), 0)
    for day in range(LAST_DAY):
        now = world.now + timedelta(days=day)
        asyncio.run(passes.tick(database, now, world.office()))
        _answer_the_letters_of(world, now, seen, weeks)
        world.take_in(now + timedelta(minutes=30))
        world.send(now + timedelta(minutes=31))
    _take_in_the_rest(world)

    kept = list(rows(database, IncomingMessage))
    assert len(kept) == len(weeks.said)  # nothing lost, nothing twice
    assert all(each.agency_id and each.about and each.supervisor_id == "so-chinh" for each in kept)
    assert all(each.letter_id for each in kept)
    outcomes = Counter(each.outcome for each in rows(database, Incoming))
    assert outcomes["failed"] == outcomes["stranger"] == 0
    answered = {str(each["In-Reply-To"]) for n in seen if n != 19 for each in world.mailbox(_user(n), 0)}
    assert set(weeks.said) - answered == set()
    assert weeks.of_digests >= WRITERS - 2
    states = Counter(each.state for each in rows(database, Letter))
    assert not set(states) & {LetterState.QUEUED, LetterState.SENDING, LetterState.UNKNOWN}
    assert len(rows(database, Draft)) > 0
    print(f"letters to writers {weeks.letters}, answers {len(weeks.said)}, of them to digests {weeks.of_digests}")
    print(f"outcomes {dict(outcomes)}; letters {dict(states)}; {time.monotonic() - began:.0f} s")


def _user(number: int) -> str:
    return f"dm{number:02}" if number < 19 else "forwards"


def _answer_the_letters_of(world: World, now: datetime, seen: dict[int, int], weeks: Weeks) -> None:
    """Whoever has a letter that is no answer of ours and was not there before answers it."""
    due = {
        each.contact_id for each in rows(world.laid.database, Letter) if each.day == now.astimezone(PLAN_TIME).date()
    }
    readers = {each.email: each.id for each in rows(world.laid.database, Contact)}
    for n in (each for each in seen if each != 19 and readers.get(coordinator(each)) in due):
        box = world.mailbox(_user(n), seen[n] + 1)
        fresh = [each for each in box[seen[n] :] if not str(each["In-Reply-To"] or "")]
        seen[n] = len(box)
        for letter in fresh:
            weeks.letters += 1
            number = 1_000 * weeks.letters + n
            text = WEEKS_TEXTS[(weeks.letters + n) % len(WEEKS_TEXTS)].format(
                day=f"{now + timedelta(days=20):%d/%m/%Y}"
            )
            said = Reply(
                letter=letter,
                sender=coordinator(n),
                text=text,
                number=number,
                files=[("bao-cao.pdf", PDF)] if text in WITH_FILE else [],
                authenticated="mx.so.example; dmarc=pass header.from=huyen.example",
            )
            raw = BY_PROGRAM[list(BY_PROGRAM)[number % len(BY_PROGRAM)]](said)
            post(world, raw, coordinator(n), str(letter["Reply-To"]))
            weeks.said[f"<{number}@may.example>"] = n
            weeks.of_digests += "số liệu đến" in said.letter_text
    world.waits_for(len(weeks.said))


def _take_in_the_rest(world: World) -> None:
    """Until no more comes: copies of forwarded letters come back when the relay has tried."""
    now = world.now + timedelta(days=LAST_DAY)
    for n in range(3):
        time.sleep(1)
        world.take_in(now + timedelta(hours=2 * n))
        world.send(now + timedelta(hours=2 * n, minutes=1))


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


def system_of(world: World, folder: Path, postfix: Postfix | None = None, **changes: Any) -> System:
    facts: dict[str, Any] = {
        "data_dir": folder,
        "secret": KEY,
        "prefect": False,
        "smtp_host": "localhost",
        "smtp_port": (postfix or world.postfix).port,
        "smtp_security": "starttls",
        "smtp_ca_file": (postfix or world.postfix).trusted,
        "mail_from": "nhacviec@so.example",
        "reply_domain": "so.example",
        "imap_host": f"127.0.0.1:{world.dovecot.port}",
        "imap_username": "tra-loi",
        "imap_password": PASSWORD,
    }
    return compose(Settings(_env_file=None, **facts | changes))


def marks(lines: Iterable[CheckLine]) -> dict[str, str]:
    return {line.name: line.mark for line in lines}


def test_doctor_sends_itself_a_reply_and_a_returned_letter_and_reads_them_back(world: World, tmp_path: Path) -> None:
    tried = marks(round_trip(system_of(world, tmp_path / "doctor"), wait=20.0))
    assert tried == {"reply": "well", "bounce": "well", "size": "wrong", "senders": "unused"}, "Postfix takes 10 MB"
    assert world.mailbox("tra-loi", 0) == []
    misled = system_of(world, tmp_path / "doctor", reply_domain="huyen.example")
    assert next(iter(round_trip(misled, wait=1.0))).mark == "wrong"


OWN_RESULT = """
message_size_limit = 20000000
smtpd_recipient_restrictions = check_recipient_access
  static:{PREPEND Authentication-Results: mx.so.example; dmarc=pass header.from=so.example}, permit
"""
REMOVES_RESULTS = """
header_checks = regexp:{{/^Authentication-Results:/ IGNORE}}
"""
BOXES = {f"{name}@so.example": "tra-loi/Maildir/" for name in ("nhacviec", "reply", "bounce")}


def test_doctor_finds_a_server_that_writes_no_results_and_leaves_forged_ones(world: World, tmp_path: Path) -> None:
    """It said «✓ senders», and whoever wrote the header themselves was believed."""
    *_, senders = round_trip(system_of(world, tmp_path / "doctor", imap_authserv_id="mx.so.example"), wait=20.0)
    assert (senders.name, senders.mark, "forged" in senders.what.en) == ("senders", "wrong", True)
    assert senders.remedy is not None
    assert "Authentication-Results" in senders.remedy.vi
    assert world.mailbox("tra-loi", 0) == []


def test_doctor_believes_a_server_that_writes_its_own_result_above_a_forged_one(world: World, tmp_path: Path) -> None:
    with running_postfix(BOXES, world.dovecot.folder / "mail", OWN_RESULT) as postfix:
        named = system_of(world, tmp_path / "doctor", postfix, imap_authserv_id="mx.so.example")
        assert set(marks(round_trip(named, wait=20.0)).values()) == {"well"}
        other = system_of(world, tmp_path / "doctor", postfix, imap_authserv_id="mx.huyen.example")
        assert marks(round_trip(other, wait=20.0))["senders"] == "wrong"


def test_doctor_finds_a_server_that_removes_results_and_writes_none(world: World, tmp_path: Path) -> None:
    with running_postfix(BOXES, world.dovecot.folder / "mail", REMOVES_RESULTS) as postfix:
        system = system_of(world, tmp_path / "doctor", postfix, imap_authserv_id="mx.so.example")
        *_, senders = round_trip(system, wait=20.0)
    assert (senders.mark, "writes no Authentication-Results" in senders.what.en) == ("wrong", True)
