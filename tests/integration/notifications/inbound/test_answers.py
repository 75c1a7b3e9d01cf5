"""Answers by mail and SMS: who wrote is verified, each message acts once, a machine's acts on nothing, never a loop."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes
from email import policy as mail_policy
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest
from ground.dovecot import PASSWORD, running_dovecot
from ground.factory import Laid, at, bring_to, happened, laid_once, lay, policy, row, rows, swept
from ground.paths import DATA
from ground.post import KEY, LetterBox, post_office
from ground.remembered import once
from sqlalchemy import update

from engine.accounts.signed_links import Signer
from engine.assignments import weekly_digest
from engine.assignments.reports import drafts
from engine.correspondence import entries, handling
from engine.correspondence.handling import receive_file
from engine.store.database import Database, table
from engine.store.records import (
    Agency,
    AnswerCode,
    Assignment,
    Contact,
    Draft,
    Event,
    Evidence,
    Extension,
    Incoming,
    IncomingMessage,
    Letter,
    LetterBody,
    Notice,
    Promise,
    Report,
    ThreadEntry,
)
from engine.terms import EventKind, LetterState, NoticeKind, Role, State
from notifications.channel_health import channel_health
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.delivery import deliver
from notifications.email.bounces import Bounce, Severity
from notifications.email.connection import Security
from notifications.email.mime import Sender, compose, digest
from notifications.email.signed_addresses import BOUNCE, RETURN_ADDRESSES, signed_address
from notifications.inbound import answers
from notifications.inbound.fetching import InboundSources, Inbox, receive
from notifications.inbound.message import MailProof, read_mail
from notifications.inbound.performing import AnswerResult
from notifications.letters.renderer import LetterRenderer, RendererSettings
from notifications.receipts import letter_outcomes
from notifications.sms.replies import NOT_UNDERSTOOD, incoming

NOW = at("2021-04-07", "08:00")
PDF = b"%PDF-1.4\n%%EOF\n"
SENDER = Sender("nhacviec@so.example", "Đôn Đốc")
COORDINATOR, MONITOR, NUMBER = "coordinator@so-ban.example", "monitor@so-chinh.example", "+84912345678"
PROOF, CODES = MailProof(Signer(KEY), "mx.so.example"), Signer(KEY).secret("short-codes").encode()
RETURN_SECRET = Signer(KEY).secret(RETURN_ADDRESSES)


class Relay(LetterBox):
    """Composes each letter as the real channel does, and keeps the bytes."""

    def __init__(self, name: str = "email") -> None:
        super().__init__()
        self.name = name
        self.raw: dict[str, bytes] = {}

    async def send(self, letter: Outgoing) -> Outcome:
        self.letters.append(letter)
        if self.name == "sms":
            return Outcome(fate=Fate.ACCEPTED, receipt=f"dd-{letter.key}")
        message_id, self.raw[letter.to] = compose(letter, SENDER)
        return Outcome(fate=Fate.ACCEPTED, receipt=message_id)


def sent(laid: Laid, now: Any = NOW) -> tuple[Relay, Relay]:
    mail, sms = Relay(), Relay("sms")
    renderer = LetterRenderer(Signer(KEY), RendererSettings("http://127.0.0.1:8188", reply_domain="so.example"))
    office = replace(post_office(mail), channels={"email": mail, "sms": sms}, renderer=renderer, short_code_key=CODES)
    asyncio.run(deliver(laid.database, now, office))
    return mail, sms


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    """The plan is open and the first letters have left."""
    return laid_once(sqlite_database, "first letters that can be answered", begun)


def begun(database: Database) -> Laid:
    laid = lay(database, now=NOW)
    swept(database, NOW)
    sent(laid)
    return laid


def first_letter(laid: Laid, mailbox: str = COORDINATOR) -> Any:
    return rows(laid.database, Letter, contact_id=row(laid.database, Contact, email=mailbox).id)[0]


def quoted(laid: Laid, mailbox: str = COORDINATOR) -> str:
    """The first letter to a mailbox, as a mail program quotes it."""
    text = str(row(laid.database, LetterBody, letter_id=first_letter(laid, mailbox).id).text)
    return "".join(f"> {line}\n" for line in text.splitlines())


def mail(
    laid: Laid,
    text: str,
    *,
    by: str = COORDINATOR,
    to: str = "",
    number: int = 1,
    quote: str | None = None,
    **headers: str,
) -> bytes:
    """A reply as a mail program writes it, our letter quoted below, and as the relay passes it on."""
    named = to or first_letter(laid).receipt
    head = {
        "Authentication-Results": f"mx.so.example; dmarc=pass header.from={by.partition('@')[2]}",
        "From": f"Đầu mối <{by}>",
        "To": "nhacviec@so.example",
        "Subject": "Re: nhiệm vụ",
        "Message-ID": f"<{number}@may.example>",
        "In-Reply-To": named,
        "References": named,
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\n" for name, value in head.items() if value)
    return (
        f"{lines}Content-Type: text/plain; charset=utf-8\n\n{text}\n\n"
        f"Vào Th 4, 7 thg 4, 2021 lúc 07:30 Đôn Đốc đã viết:\n{quoted(laid) if quote is None else quote}"
    ).encode()


def take(laid: Laid, raw: bytes, now: Any = NOW, proof: MailProof = PROOF) -> AnswerResult:
    with laid.database.write() as session:
        return answers.take_mail(session, read_mail(raw), proof, now)


def state(laid: Laid) -> State:
    return State(row(laid.database, Assignment, id=laid.assignment("IV.1.1", "so-ban")).state)


def answers_of(laid: Laid) -> list[Any]:
    return [each for each in rows(laid.database, Letter) if each.key.startswith("answer:")]


def told(laid: Laid) -> list[str]:
    """What writers are told."""
    return [each.detail["problem"][0] for each in rows(laid.database, Incoming) if "problem" in each.detail]


def wrote(laid: Laid) -> list[str]:
    return [each.detail["said"] for each in rows(laid.database, Notice, kind=NoticeKind.WROTE)]


# --- e-mail ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["Xác nhận", "XN", "ack", "Đã nhận, cảm ơn.", "Kính gửi Sở\n\nĐơn vị xác nhận đã nhận"]
)
def test_a_reply_that_acknowledges_acknowledges(laid: Laid, text: str) -> None:
    assert take(laid, mail(laid, text)) is AnswerResult.ACKNOWLEDGED
    acknowledged = row(laid.database, Event, kind=EventKind.ACKNOWLEDGED)
    contact = row(laid.database, Contact, email=COORDINATOR)
    assert (state(laid), acknowledged.actor) == (State.ACKNOWLEDGED, f"contact:{contact.id}")
    assert (told(laid), wrote(laid)) == (["Đã ghi nhận: xác nhận đã nhận IV.1.1."], [])


@pytest.mark.parametrize("name", ["Thanh tra tỉnh", "Thanh tra", "Hội Nông dân", "HND"])
def test_an_office_calls_itself_by_its_names_of_the_directory_former_ones_too(laid: Laid, name: str) -> None:
    with laid.database.write() as session:
        g = table(Agency)
        names = [{"name": "Hội Nông dân", "short": "HND", "until": "2020-12-31"}, {"name": "Thanh tra tỉnh"}]
        values = {"name": "Thanh tra tỉnh", "names": names}
        session.connection().execute(update(g).where(g.c.id == "so-ban").values(**values))
    assert take(laid, mail(laid, f"{name} đã nhận")) is AnswerResult.ACKNOWLEDGED


def test_a_task_is_reported_as_not_done_with_the_day_that_is_promised(laid: Laid) -> None:
    assert take(laid, mail(laid, "CHUA IV.1.1 30/6 chờ kinh phí")) is AnswerResult.REPORTED
    made, report = row(laid.database, Promise), row(laid.database, Report)
    assert (made.promised_on, made.reason, made.source) == (date(2021, 6, 30), "chờ kinh phí", "report")
    assert (report.outcome, report.reason) == ("not_yet", "chờ kinh phí")
    assert take(laid, mail(laid, "CHUA IV.9.9 30/6 chờ kinh phí", number=2)) is AnswerResult.REFUSED
    assert len(rows(laid.database, Report)) == 1


def test_an_extension_that_is_asked_for_too_late_is_a_promise(laid: Laid) -> None:
    late = at("2021-06-21")
    assert take(laid, mail(laid, "GH 30/6 chờ số liệu của xã"), late) is AnswerResult.EXTENSION_ASKED
    made = row(laid.database, Promise)
    assert (made.promised_on, made.source, rows(laid.database, Extension)) == (date(2021, 6, 30), "extension", [])


def test_an_extension_is_asked_with_its_day_and_reason(laid: Laid) -> None:
    assert take(laid, mail(laid, "GH 25/6 chờ số liệu của xã")) is AnswerResult.EXTENSION_ASKED
    asked = row(laid.database, Extension)
    assert (asked.until, asked.reason) == (date(2021, 6, 25), "chờ số liệu của xã")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Gọi lại cho phòng", "chưa nhận biết được nội dung trả lời"),
        ("Không xác nhận được", "chưa nhận biết được nội dung trả lời"),
        ("Gia hạn giúp đơn vị", "Không đọc được ngày"),
        ("GH 10/6 chờ số liệu", "Hạn mới phải sau"),
    ],
)
def test_anything_else_gets_one_helpful_answer_and_reaches_the_monitor(laid: Laid, text: str, said: str) -> None:
    assert take(laid, mail(laid, text)) in (
        AnswerResult.NOT_UNDERSTOOD,
        AnswerResult.PROPOSED,
        AnswerResult.REFUSED,
    )
    relay, _ = sent(laid)
    (answer,) = [each for each in relay.letters if each.to == COORDINATOR]
    assert (said in answer.text, answer.headers["Auto-Submitted"]) == (True, "auto-replied")
    assert answer.headers["In-Reply-To"] == answer.headers["References"] == "<1@may.example>"
    parsed = message_from_bytes(relay.raw[COORDINATOR], policy=mail_policy.default)
    assert (parsed["Auto-Submitted"], parsed["In-Reply-To"]) == ("auto-replied", "<1@may.example>")
    assert (wrote(laid), state(laid)) == ([text], State.ASSIGNED)
    assert any(text in each.text for each in relay.letters if each.to == MONITOR)


def test_the_same_message_fetched_again_acts_once(laid: Laid) -> None:
    raw = mail(laid, "Gọi lại cho phòng")
    assert [take(laid, raw) for _ in range(3)] == [AnswerResult.NOT_UNDERSTOOD, AnswerResult.AGAIN, AnswerResult.AGAIN]
    assert (len(answers_of(laid)), len(wrote(laid)), len(rows(laid.database, Incoming))) == (1, 1, 1)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated (vacation)"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"Subject": "Trả lời tự động: nghỉ phép"},
        {"Subject": "Out of office"},
        {"Return_Path": "<>"},
    ],
)
def test_an_out_of_office_acknowledges_nothing_and_is_never_answered(laid: Laid, headers: dict[str, str]) -> None:
    assert take(laid, mail(laid, "Xác nhận", **headers)) in (AnswerResult.AUTOMATIC, AnswerResult.STRANGER)
    assert (state(laid), answers_of(laid), wrote(laid)) == (State.ASSIGNED, [], [])


def test_two_machines_that_hide_it_do_not_talk_for_ever(laid: Laid) -> None:
    """A robot that answers everything, and says nowhere that it is one."""
    named, counted, now = first_letter(laid).receipt, [], NOW
    for number in range(12):
        take(laid, mail(laid, "Cảm ơn, yêu cầu số 99 đã được ghi nhận.", to=named, number=number), now)
        now += timedelta(hours=2)
        relay, _ = sent(laid, now)
        counted += [each.key for each in relay.letters if each.key.startswith("answer:")]
        if COORDINATOR in relay.raw:
            named = str(message_from_bytes(relay.raw[COORDINATOR])["Message-ID"])
    assert len(counted) == len(set(counted)) == 1


def test_an_answer_to_our_answer_still_does_what_it_says(laid: Laid) -> None:
    take(laid, mail(laid, "Việc này ai làm?"))
    relay, _ = sent(laid)
    named = str(message_from_bytes(relay.raw[COORDINATOR])["Message-ID"])
    assert take(laid, mail(laid, "Xác nhận", to=named, number=2)) is AnswerResult.ACKNOWLEDGED


def test_an_unknown_mailbox_of_the_agency_does_nothing_and_who_had_the_letter_is_asked(laid: Laid) -> None:
    assert take(laid, mail(laid, "Xác nhận", by="nguoi-khac@so-ban.example")) is AnswerResult.NOT_THE_READER
    assert (state(laid), wrote(laid)) == (State.ASSIGNED, ["Xác nhận"])
    (asked,) = answers_of(laid)
    assert asked.contact_id == row(laid.database, Contact, email=COORDINATOR).id
    assert "nguoi-khac@so-ban.example trả lời thư gửi ông/bà: “Xác nhận”" in told(laid)[0]


def test_an_unknown_mailbox_elsewhere_is_not_answered(laid: Laid) -> None:
    assert take(laid, mail(laid, "Xác nhận", by="ai-do@noi-khac.example")) is AnswerResult.NOT_THE_READER
    assert (state(laid), answers_of(laid), wrote(laid)) == (State.ASSIGNED, [], ["Xác nhận"])


def test_the_head_of_the_agency_may_answer_the_coordinator_s_letter(laid: Laid) -> None:
    assert take(laid, mail(laid, "Xác nhận", by="head@so-ban.example")) is AnswerResult.ACKNOWLEDGED
    head = row(laid.database, Contact, email="head@so-ban.example")
    assert row(laid.database, Event, kind=EventKind.ACKNOWLEDGED).actor == f"contact:{head.id}"
    assert row(laid.database, IncomingMessage).contact_id == head.id


def test_a_message_id_worked_out_from_the_letter_s_key_is_not_ours(laid: Laid) -> None:
    """The key can be guessed; what it is signed with cannot."""
    guessed = f"<{digest(first_letter(laid).key)[:32]}@so.example>"
    assert take(laid, mail(laid, "Xác nhận", to=guessed, quote="")) is AnswerResult.UNPROVEN
    assert state(laid) is State.ASSIGNED


@pytest.mark.parametrize("sender", ["la@mat.example", "", f"{COORDINATOR}>, <nguoi-khac@so.example"])
def test_a_stranger_is_recorded_and_not_answered(laid: Laid, sender: str) -> None:
    became = take(laid, mail(laid, "Xác nhận", by=sender, quote="", In_Reply_To="", References=""))
    assert became in (AnswerResult.STRANGER, AnswerResult.AUTOMATIC)
    assert (answers_of(laid), wrote(laid), len(rows(laid.database, Incoming))) == ([], [], 1)


def test_who_no_longer_answers_for_the_agency_acts_no_more(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(Contact)).values(valid_until=date(2021, 4, 6)))
    assert take(laid, mail(laid, "Xác nhận")) is AnswerResult.NOT_THE_READER
    assert state(laid) is State.ASSIGNED


@pytest.mark.parametrize(
    "text",
    [
        "Đã nhận.\nViệc này trùng với việc năm trước.",
        "Xác nhận\nĐơn vị sẽ gửi sau ngày 20.\nTrân trọng,\nPhòng A",
        "Xác nhận\n" + "Tuy nhiên đơn vị thấy việc này trùng với nhiệm vụ đã giao năm trước. " * 3,
        "Xã đã nhận, xin gia hạn đến 25/6 vì chờ số liệu",
        "XN\nViệc này không thuộc thẩm quyền của đơn vị.",
    ],
)
def test_what_is_not_wholly_sure_does_nothing_and_stops_no_chasing(laid: Laid, text: str) -> None:
    """«Đã nhận, gửi nhầm» acknowledged a task that nobody was going to do."""
    assert take(laid, mail(laid, text)) is AnswerResult.PROPOSED
    kept = row(laid.database, IncomingMessage)
    assert (state(laid), kept.waits, kept.done) == (State.ASSIGNED, "proposed", [])
    assert [each["ids"] for each in kept.proposed] == [[laid.assignment("IV.1.1", "so-ban")]] * len(kept.proposed)
    assert kept.proposed[0]["ask"] == "acknowledge"
    for nothing in (Extension, Promise, Report, ThreadEntry):
        assert rows(laid.database, nothing) == []
    assert told(laid) == ["Đã nhận được thư trả lời; nội dung được ghi nhận sau khi bộ phận theo dõi xem."]
    assert len(wrote(laid)) == 1


def test_a_day_is_proposed_relative_to_the_day_on_which_it_was_written(laid: Laid) -> None:
    raw = mail(laid, "Xin gia hạn đến thứ Sáu tuần sau do chờ xã", Date="Mon, 05 Apr 2021 08:00:00 +0700")
    assert take(laid, raw, at("2021-04-12", "08:00")) is AnswerResult.PROPOSED
    (proposal,) = row(laid.database, IncomingMessage).proposed
    assert (proposal["ask"], proposal["on"], proposal["text"]) == ("day", "2021-04-16", "do chờ xã")


def test_what_a_message_did_by_itself_is_taken_back_when_it_was_misread(laid: Laid) -> None:
    take(laid, mail(laid, "XN\nCHUA 30/6 chờ kinh phí\nKK: thiếu người"))
    kept = row(laid.database, IncomingMessage)
    with laid.database.write() as session:
        handling.misread(session, kept.incoming_id, actor="account:1", now=NOW + timedelta(days=3))
    assert state(laid) is State.ASSIGNED
    for nothing in (Promise, Report, ThreadEntry):
        assert rows(laid.database, nothing) == []
    kept = row(laid.database, IncomingMessage)
    assert (kept.waits, kept.done, kept.handled) == ("proposed", [], "taken_back")


def test_the_same_promise_sent_again_is_nothing_new(laid: Laid) -> None:
    raw = [mail(laid, "CHUA IV.1.1 30/6 chờ kinh phí", number=number) for number in (1, 2)]
    assert [take(laid, each) for each in raw] == [AnswerResult.REPORTED, AnswerResult.ALREADY]
    assert (len(rows(laid.database, Report)), len(rows(laid.database, Promise))) == (1, 1)
    assert told(laid)[-1] == "Nội dung này đã được ghi nhận trước đó."


def test_several_taught_words_in_one_mail_all_count(laid: Laid) -> None:
    text = "Đã nhận.\nGH 25/6 chờ số liệu của xã\nKK: thiếu kinh phí"
    assert take(laid, mail(laid, text)) is AnswerResult.SAID
    assert (state(laid), row(laid.database, Extension).until) == (State.ACKNOWLEDGED, date(2021, 6, 25))
    assert (row(laid.database, ThreadEntry).text, wrote(laid)) == ("thiếu kinh phí", [])
    assert told(laid) == [
        "Đã ghi nhận: xác nhận đã nhận IV.1.1; đề nghị gia hạn IV.1.1 đến 25/6/2021; khó khăn, vướng mắc về IV.1.1."
    ]
    assert len(row(laid.database, IncomingMessage).done) == 3


def with_file(laid: Laid, text: str, name: str = "bao-cao.pdf", body: bytes = PDF, **head: Any) -> bytes:
    """A mail with a file."""
    words = mail(laid, text, **head).decode()
    above, _, below = words.partition("Content-Type: text/plain; charset=utf-8\n\n")
    encoded = base64.encodebytes(body).decode()
    return (
        f"{above}Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain; charset=utf-8\n\n{below}\n"
        f"--x\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename={name}\n"
        f"Content-Transfer-Encoding: base64\n\n{encoded}\n--x--\n"
    ).encode()


def take_with_files(laid: Laid, raw: bytes, folder: Path, proof: MailProof = PROOF, number: int = 1) -> AnswerResult:
    letter = read_mail(raw)
    files = [receive_file(folder, each.name, each.body) for each in letter.files]
    with laid.database.write() as session:
        return answers.take_mail(session, letter, proof, NOW, files)


@pytest.mark.parametrize(
    ("text", "result", "subject"),
    [
        ("Đã nhận, cảm ơn.", AnswerResult.FILED, "Đã ghi nhận thư trả lời"),
        ("Gửi báo cáo.", AnswerResult.FILED, "Đã ghi nhận thư trả lời"),
        ("Sẽ báo cáo bổ sung sau.", AnswerResult.FILED, "Đã ghi nhận một phần thư trả lời"),
        ("", AnswerResult.FILED, "Đã ghi nhận thư trả lời"),
    ],
)
def test_a_file_becomes_the_draft_of_a_report_and_writer_and_monitor_are_told_its_name(
    laid: Laid, tmp_path: Path, text: str, result: AnswerResult, subject: str
) -> None:
    """A signed report by mail was lost, and nobody knew."""
    assert take_with_files(laid, with_file(laid, text), tmp_path) is result
    relay, _ = sent(laid)
    by_mailbox = {each.to: each for each in relay.letters}
    assert "tệp “bao-cao.pdf” đã đưa vào bản nháp báo cáo IV.1.1" in by_mailbox[COORDINATOR].text
    assert by_mailbox[COORDINATOR].subject.endswith(subject)
    assert "tệp gửi kèm: bao-cao.pdf" in by_mailbox[MONITOR].text
    assert "/incoming" in by_mailbox[MONITOR].text
    task, evidence = laid.assignment("IV.1.1", "so-ban"), row(laid.database, Evidence)
    (draft,) = rows(laid.database, Draft)
    assert draft.body == {f"kept-{task}": f"{evidence.digest} bao-cao.pdf"}
    assert (evidence.agency_id, rows(laid.database, Report)) == ("so-ban", [])
    assert (tmp_path / evidence.digest[:2] / evidence.digest).read_bytes().startswith(b"%PDF")


def test_number_and_date_of_the_signed_paper_are_proposed_from_its_first_page(laid: Laid, tmp_path: Path) -> None:
    paper = docx.Document()
    for line in ("ỦY BAN NHÂN DÂN XÃ A", "Số: 45/BC-UBND", "Xã A, ngày 06 tháng 4 năm 2021", "BÁO CÁO"):
        paper.add_paragraph(line)
    out = BytesIO()
    paper.save(out)
    take_with_files(laid, with_file(laid, "Gửi báo cáo", "bc.docx", out.getvalue()), tmp_path)
    (draft,) = rows(laid.database, Draft)
    assert (draft.body["paper-number"], draft.body["paper-on"]) == ("45/BC-UBND", "06/4/2021")


def test_a_file_is_added_to_the_draft_that_the_agency_has_begun(laid: Laid, tmp_path: Path) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    with laid.database.write() as session:
        fields = {f"body-{task}": "Đã làm.", "paper-number": "12/BC"}
        drafts.save(session, "so-ban", laid.plan_id, "2021-H1", fields, actor="account:1", now=NOW)
    take_with_files(laid, with_file(laid, "Gửi tệp", number=1), tmp_path)
    take_with_files(laid, with_file(laid, "Gửi tệp", number=2), tmp_path)
    (draft,) = rows(laid.database, Draft)
    assert (draft.body[f"body-{task}"], draft.body["paper-number"]) == ("Đã làm.", "12/BC")
    assert len(draft.body[f"kept-{task}"].splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("virus.exe", b"MZ\x90", "không phải một trong"),
        ("MẬT-45.pdf", b"%PDF-1.4", "mật"),
    ],
)
def test_a_file_that_is_not_kept_is_said_with_its_reason_and_waits(
    laid: Laid, tmp_path: Path, name: str, body: bytes, why: str
) -> None:
    take_with_files(laid, with_file(laid, "Đã nhận", name, body), tmp_path)
    assert f"Chưa nhận được tệp “{name}”" in told(laid)[0]
    assert why in told(laid)[0].lower()
    assert (rows(laid.database, Evidence), row(laid.database, IncomingMessage).waits) == ([], "files")


def test_a_file_from_a_sender_who_is_not_authenticated_waits_for_a_person(laid: Laid, tmp_path: Path) -> None:
    raw = with_file(laid, "Gửi báo cáo", Authentication_Results="")
    assert take_with_files(laid, raw, tmp_path, MailProof(Signer(KEY))) is AnswerResult.FILED
    assert (rows(laid.database, Draft), row(laid.database, IncomingMessage).waits) == ([], "files")


def test_telephone_numbers_are_masked_in_what_the_monitor_reads(laid: Laid) -> None:
    take(laid, mail(laid, "Gọi lại tôi số 0912345678"))
    assert wrote(laid) == ["Gọi lại tôi số +84 91****678"]


def test_what_was_reported_meanwhile_is_not_acknowledged_again(laid: Laid) -> None:
    bring_to(laid.database, State.REPORTED, laid.assignment("IV.1.1", "so-ban"), now=NOW)
    assert take(laid, mail(laid, "Xác nhận")) is AnswerResult.ALREADY
    assert told(laid) == ["Nội dung này đã được ghi nhận trước đó."]


# --- what proves an e-mail ------------------------------------------------------------------------------------------


def test_the_message_id_alone_proves_nothing(laid: Laid) -> None:
    """It is in every forwarded copy: a monitor of another agency acknowledged with it, under the coordinator's name."""
    assert take(laid, mail(laid, "Xác nhận", quote="")) is AnswerResult.UNPROVEN
    assert (state(laid), wrote(laid)) == (State.ASSIGNED, ["Xác nhận"])
    (answer,) = [each for each in sent(laid)[0].letters if each.to == COORDINATOR]
    assert "giữ nguyên thư nhắc việc" in answer.text


def test_the_letter_s_own_reply_address_proves_it_without_a_quotation(laid: Laid) -> None:
    swept(laid.database, at("2021-06-03"))
    relay, _ = sent(laid, at("2021-06-03"))
    (letter,) = [each for each in relay.letters if each.to == COORDINATOR]
    raw = mail(laid, "Xác nhận", quote="", To=letter.headers["Reply-To"], In_Reply_To="", References="")
    assert take(laid, raw, at("2021-06-03")) is AnswerResult.ACKNOWLEDGED


def test_a_link_to_somebody_else_proves_nothing(laid: Laid) -> None:
    raw = mail(laid, "Xác nhận", quote=quoted(laid, "coordinator@huyen-a.example"))
    assert take(laid, raw) is AnswerResult.NOT_THE_READER
    assert state(laid) is State.ASSIGNED


def test_a_revoked_link_proves_nothing(laid: Laid) -> None:
    raw = mail(laid, "Xác nhận")
    with laid.database.write() as session:
        session.connection().execute(update(table(Contact)).values(links_since=NOW))
    assert (take(laid, raw), state(laid)) == (AnswerResult.UNPROVEN, State.ASSIGNED)


def test_the_newest_letter_is_answered_as_long_as_its_links_work(laid: Laid) -> None:
    assert take(laid, mail(laid, "Xác nhận"), at("2021-06-02")) is AnswerResult.ACKNOWLEDGED  # after 56 days


def test_a_link_of_a_letter_that_a_newer_one_replaced_proves_nothing_any_more(laid: Laid) -> None:
    swept(laid.database, at("2021-06-03"))
    sent(laid, at("2021-06-03"))
    assert (take(laid, mail(laid, "Xác nhận"), at("2021-06-04")), state(laid)) == (
        AnswerResult.UNPROVEN,
        State.ASSIGNED,
    )


def test_links_that_a_mail_filter_has_wrapped_are_read(laid: Laid) -> None:
    wrapped = quoted(laid).replace("http://127.0.0.1:8188/", "https://filter.example/?url=http%3A%2F%2F127.0.0.1%2F")
    wrapped = wrapped.replace("%2Fl/", "%2Fl%2F").replace("%2Fr/", "%2Fr%2F")
    assert take(laid, mail(laid, "Xác nhận", quote=wrapped)) is AnswerResult.ACKNOWLEDGED


def test_a_sender_whom_the_named_relay_did_not_confirm_moves_nothing(laid: Laid) -> None:
    named = MailProof(Signer(KEY), "mx.so.example")
    forged = mail(laid, "Xác nhận", Authentication_Results="mx.so.example; dmarc=fail header.from=so-ban.example")
    assert take(laid, forged, proof=named) is AnswerResult.UNAUTHENTICATED
    assert (state(laid), answers_of(laid), wrote(laid)) == (State.ASSIGNED, [], ["Xác nhận"])
    passed = "mx.so.example; dmarc=pass header.from=so-ban.example"
    genuine = mail(laid, "Xác nhận", number=2, Authentication_Results=passed)
    assert take(laid, genuine, proof=named) is AnswerResult.ACKNOWLEDGED


@pytest.mark.parametrize("text", ["GH 25/6 chờ số liệu", "CHUA 30/6 chờ xe", "KK: thiếu người"])
def test_without_authenticated_senders_anything_but_an_acknowledgement_waits_for_a_person(
    laid: Laid, text: str
) -> None:
    """Who had one reply address could write in the coordinator's name whatever they liked."""
    forged = mail(laid, f"XN\n{text}", Authentication_Results="")
    assert take(laid, forged, proof=MailProof(Signer(KEY))) is AnswerResult.REFUSED
    kept = row(laid.database, IncomingMessage)
    assert (state(laid), kept.waits, [each["act"] for each in kept.done]) == (
        State.ACKNOWLEDGED,
        "unauthenticated",
        ["acknowledged"],
    )
    for nothing in (Extension, Promise, ThreadEntry, Report):
        assert rows(laid.database, nothing) == []
    assert "chờ bộ phận theo dõi xem" in told(laid)[0]


def test_who_received_fewer_tasks_than_the_letter_names_is_asked_which(laid: Laid) -> None:
    assert take(laid, mail(laid, "Đã nhận 2 nhiệm vụ")) is AnswerResult.REFUSED
    assert (state(laid), row(laid.database, IncomingMessage).waits) == (State.ASSIGNED, "refused")


def test_a_writer_is_answered_once_an_hour_and_each_answer_says_what_it_is_about(laid: Laid) -> None:
    take(laid, mail(laid, "Xác nhận", number=1))
    take(laid, mail(laid, "KK: thiếu người", number=2), NOW + timedelta(minutes=5))
    take(laid, mail(laid, "Hỏi: nộp ở đâu?", number=3), NOW + timedelta(minutes=10))
    leaves = [each.send_after - NOW for each in answers_of(laid)]
    assert leaves == [timedelta(0), timedelta(hours=1), timedelta(hours=2)]
    relay, _ = sent(laid, NOW + timedelta(minutes=59))
    assert [each.headers["In-Reply-To"] for each in relay.letters if each.to == COORDINATOR] == ["<1@may.example>"]


def test_what_is_kept_of_a_mail_opens_nothing(laid: Laid) -> None:
    """The quoted letter holds its reader's own links."""
    take(laid, mail(laid, "Đề nghị gọi lại"))
    kept = row(laid.database, IncomingMessage)
    assert ("đã viết:" in kept.raw_text, "Wz" in kept.raw_text) == (True, False)


def test_a_bounce_that_only_quotes_the_message_id_moves_nothing_and_reaches_the_monitor(laid: Laid) -> None:
    """A forged one had a mailbox suppressed."""
    raw = (DATA / "returned" / "postfix.eml").read_bytes()
    ours = read_mail(raw).bounce
    assert ours is not None
    forged = raw.replace(ours.message_id.encode(), first_letter(laid).receipt.encode())
    assert take(laid, forged) is AnswerResult.UNPROVEN
    assert (first_letter(laid).state, row(laid.database, Contact, email=COORDINATOR).suppressed) == ("accepted", {})
    assert wrote(laid)[0].startswith("Mail Delivery System: ")


def returned_by_relay(laid: Laid, failed: str, mailbox: str = COORDINATOR, number: int = 1) -> bytes:
    """A relay's report on the first letter to a mailbox, to its signed return address: ``failed`` is what could not be
    reached, and the letter's own mailbox stands there as the one that the copy came from."""
    address = signed_address(BOUNCE, first_letter(laid, mailbox).key, RETURN_SECRET, "so.example")
    raw = (DATA / "returned" / "postfix.eml").read_bytes().replace(b"gone@huyen.example", mailbox.encode())
    raw = raw.replace(b"gone@elsewhere.example", failed.encode()).replace(b"5.0.0", b"5.1.1")
    raw = raw.replace(b"Message-Id: <", b"Message-Id: <%d" % number)
    return f"Delivered-To: {address}\n".encode() + raw


def test_a_bounce_goes_to_the_fates_and_is_not_answered(laid: Laid) -> None:
    assert take(laid, returned_by_relay(laid, COORDINATOR.upper())) is AnswerResult.BOUNCED
    assert (first_letter(laid).state, answers_of(laid)) == (LetterState.BOUNCED_HARD, [])
    assert "email" in row(laid.database, Contact, email=COORDINATOR).suppressed


def test_the_copy_that_somebody_forwards_to_a_dead_mailbox_does_not_close_the_living_one(laid: Laid) -> None:
    for number in range(3):
        became = take(laid, returned_by_relay(laid, "rieng@ngoai.example", number=number))
        assert became is AnswerResult.BOUNCED_ELSEWHERE
    assert (first_letter(laid).state, row(laid.database, Contact, email=COORDINATOR).suppressed) == ("accepted", {})
    assert answers_of(laid) == []
    [told] = wrote(laid)  # once, not with each letter that is forwarded
    assert told.startswith("Mail Delivery System: rieng@ngoai.example 5.1.1")


def to_return_address(laid: Laid, raw: bytes) -> bytes:
    address = signed_address(BOUNCE, first_letter(laid).key, RETURN_SECRET, "so.example")
    return f"Delivered-To: {address}\n".encode() + raw


@pytest.mark.parametrize(
    "raw",
    [
        b"Return-Path: <>\nFrom: MAILER-DAEMON@may.example\nSubject: Nachricht\n\nKein solches Postfach.",
        b"From: postmaster@may.example\nAuto-Submitted: auto-replied\nSubject: x\n\nKein solches Postfach.",
        b"Return-Path: <>\nSubject: x\n\nKein solches Postfach.",
        b"From: admin@may.example\nSubject: x\n\nKein solches Postfach.",
        b"From: admin@may.example\nContent-Type: multipart/report; boundary=x\n\n--x\n\nKein solches Postfach.\n"
        b"--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; may.example\n\n"
        b"Final-Recipient: rfc822; coordinator@so-ban.example\nAction: gone\n\n--x--\n",
    ],
)
def test_what_comes_to_a_return_address_and_is_not_read_waits_for_a_person_and_the_monitor_is_told(
    laid: Laid, raw: bytes
) -> None:
    """It was filed in silence as an automatic reply, and nobody knew that the mailbox was dead."""
    take(laid, to_return_address(laid, raw))
    kept = row(laid.database, IncomingMessage)
    assert (kept.waits is not None, kept.letter_id, kept.agency_id) == (True, first_letter(laid).id, "so-ban")
    assert (wrote(laid), answers_of(laid)) == (["Kein solches Postfach."], [])
    assert first_letter(laid).state is LetterState.ACCEPTED


@pytest.mark.parametrize(
    "raw",
    [
        (DATA / "returned" / "away.eml").read_bytes(),
        (DATA / "returned" / "delivered.eml").read_bytes(),
        b"From: a@so-ban.example\nPrecedence: bulk\nSubject: away from my mail\n\nx",
        b"From: a@so-ban.example\nSubject: Automatic reply: x\n\nx",
    ],
)
def test_an_absence_notice_and_a_report_of_success_at_a_return_address_are_filed(laid: Laid, raw: bytes) -> None:
    assert take(laid, to_return_address(laid, raw)) is AnswerResult.AUTOMATIC
    assert (rows(laid.database, IncomingMessage), wrote(laid), answers_of(laid)) == ([], [], [])


def test_what_comes_to_a_return_address_that_is_not_ours_is_filed(laid: Laid) -> None:
    raw = b"Delivered-To: bounce+aaaaaaaaletter_1@so.example\nReturn-Path: <>\nSubject: x\n\nKein Postfach."
    assert take(laid, raw) is AnswerResult.AUTOMATIC
    assert (rows(laid.database, IncomingMessage), wrote(laid)) == ([], [])


def test_a_report_that_names_no_mailbox_is_about_the_letter_s_own(laid: Laid) -> None:
    with laid.database.write() as session:
        bounce = Bounce(Severity.HARD, status="5.1.1")
        effect = letter_outcomes.take_bounce(session, bounce, first_letter(laid).key, NOW)
    assert effect.state is LetterState.BOUNCED_HARD


# --- SMS ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def by_sms(sqlite_database: Database) -> tuple[Laid, Outgoing]:
    """The coordinator has a telephone, and after three silent days the letter came to it."""

    def fill() -> tuple[int, Outgoing]:
        laid = lay(sqlite_database, now=NOW)
        with sqlite_database.write() as session:
            c = table(Contact)
            session.connection().execute(update(c).where(c.c.email == COORDINATOR).values(phone="0912 345 678"))
        for day in ("2021-04-07", "2021-04-12"):
            swept(sqlite_database, at(day))
            _, box = sent(laid, at(day))
        (letter,) = box.letters
        return laid.plan_id, letter

    plan_id, letter = once(sqlite_database, "answered by SMS", fill)
    return Laid(sqlite_database, plan_id), letter


def text_in(
    laid: Laid, text: str, *, by: str = NUMBER, number: int = 1, now: Any = NOW + timedelta(days=5)
) -> AnswerResult:
    with laid.database.write() as session:
        return answers.take_sms(session, "kannel", incoming(str(number), by, text), now)


def code_of(laid: Laid) -> str:
    return str(rows(laid.database, AnswerCode)[-1].code)


def test_silence_brings_an_sms_with_a_short_code_and_no_long_link(by_sms: tuple[Laid, Outgoing]) -> None:
    laid, letter = by_sms
    assert f"Tra loi XN {code_of(laid)} de xac nhan." in letter.text
    assert "http" not in letter.text
    assert len(letter.text) <= 160


def test_xn_and_the_code_acknowledge_once(by_sms: tuple[Laid, Outgoing]) -> None:
    laid, _ = by_sms
    assert [text_in(laid, f"XN {code_of(laid)}", number=n) for n in (1, 2)] == [
        AnswerResult.ACKNOWLEDGED,
        AnswerResult.ALREADY,
    ]
    assert (state(laid), row(laid.database, AnswerCode).used_at is not None) == (State.ACKNOWLEDGED, True)


def test_the_code_is_found_anywhere_in_a_text(by_sms: tuple[Laid, Outgoing]) -> None:
    laid, _ = by_sms
    assert text_in(laid, f"Đã nhận {code_of(laid)}") is AnswerResult.ACKNOWLEDGED
    assert state(laid) is State.ACKNOWLEDGED


def test_a_promise_by_sms_as_the_manual_says(by_sms: tuple[Laid, Outgoing]) -> None:
    laid, _ = by_sms
    assert text_in(laid, f"CHUA {code_of(laid)} 30/6 cho kinh phi") is AnswerResult.REPORTED
    assert row(laid.database, Promise).promised_on == date(2021, 6, 30)


@pytest.mark.parametrize("said", ["Đã nhận", "Đã nhận {code} nhưng gửi nhầm", "xin gia han den 25/6 do cho xa"])
def test_an_sms_that_is_not_sure_or_has_no_code_is_a_proposal(by_sms: tuple[Laid, Outgoing], said: str) -> None:
    laid, _ = by_sms
    assert text_in(laid, said.format(code=code_of(laid))) in (AnswerResult.PROPOSED, AnswerResult.NOT_UNDERSTOOD)
    kept = row(laid.database, IncomingMessage)
    assert (state(laid), kept.waits is not None, kept.about) == (
        State.ASSIGNED,
        True,
        [laid.assignment("IV.1.1", "so-ban")],
    )


def test_gh_and_the_code_ask_an_extension(by_sms: tuple[Laid, Outgoing]) -> None:
    laid, _ = by_sms
    assert text_in(laid, f"gh {code_of(laid)} 25/6 cho so lieu") is AnswerResult.EXTENSION_ASKED
    assert row(laid.database, Extension).until == date(2021, 6, 25)


def test_guessing_codes_is_limited(by_sms: tuple[Laid, Outgoing]) -> None:
    """Four digits are guessed by a few thousand messages."""
    laid, _ = by_sms
    wrong = "1000" if code_of(laid) != "1000" else "1001"
    tried = [text_in(laid, f"XN {wrong}", number=n) for n in range(6)]
    assert tried == [AnswerResult.REFUSED] * 5 + [AnswerResult.LIMITED]
    assert text_in(laid, f"XN {code_of(laid)}", number=7) is AnswerResult.LIMITED
    kept = rows(laid.database, IncomingMessage)[-1]
    assert (kept.waits, kept.proposed[0]["ask"]) == ("proposed", "acknowledge"), "nothing is lost"
    later = NOW + timedelta(days=5, hours=2)
    assert text_in(laid, f"XN {code_of(laid)}", number=8, now=later) is AnswerResult.ACKNOWLEDGED


def test_a_code_is_good_for_one_thing(by_sms: tuple[Laid, Outgoing]) -> None:
    laid, _ = by_sms
    text_in(laid, f"XN {code_of(laid)}")
    assert text_in(laid, f"GH {code_of(laid)} 25/6 cho so lieu", number=2) is AnswerResult.REFUSED
    assert rows(laid.database, Extension) == []


@pytest.mark.parametrize("by", ["+84987654321", "VIETTEL"])
def test_a_code_from_another_number_does_nothing(by_sms: tuple[Laid, Outgoing], by: str) -> None:
    laid, _ = by_sms
    assert text_in(laid, f"XN {code_of(laid)}", by=by) is AnswerResult.STRANGER
    assert (state(laid), answers_of(laid)) == (State.ASSIGNED, [])


def test_an_expired_code_is_answered_once_with_what_to_do(by_sms: tuple[Laid, Outgoing]) -> None:
    laid, _ = by_sms
    later = at("2021-06-01")
    assert text_in(laid, f"XN {code_of(laid)}", now=later) is AnswerResult.REFUSED
    assert text_in(laid, f"XN {code_of(laid)}", number=2, now=later) is AnswerResult.REFUSED
    _, box = sent(laid, later)
    (answer,) = box.letters
    assert answer.text.strip() == "Ma so nay da het hieu luc. De nghi soan lai voi ma so trong tin nhan moi nhat."


def test_nonsense_by_sms_gets_one_helpful_answer_of_one_part(by_sms: tuple[Laid, Outgoing]) -> None:
    laid, _ = by_sms
    assert [text_in(laid, "abc", number=n) for n in range(3)] == [AnswerResult.NOT_UNDERSTOOD] * 3
    _, box = sent(laid, NOW + timedelta(days=5))
    assert len(box.letters) == 1
    assert len(box.letters[0].text.strip()) <= 160
    assert wrote(laid) == ["abc"] * 3


def test_our_own_help_come_back_is_not_answered(by_sms: tuple[Laid, Outgoing]) -> None:
    laid, _ = by_sms
    text_in(laid, NOT_UNDERSTOOD.vi)
    assert answers_of(laid) == []


def test_dung_stops_the_sms_and_the_next_letter_comes_by_mail(by_sms: tuple[Laid, Outgoing]) -> None:
    laid, _ = by_sms
    assert text_in(laid, "DUNG") is AnswerResult.STOPPED
    assert row(laid.database, Contact, email=COORDINATOR).suppressed == {"sms": "stopped"}
    swept(laid.database, at("2021-06-03"))
    mail_box, sms_box = sent(laid, at("2021-06-03"))
    assert (COORDINATOR in mail_box.raw, sms_box.letters) == (True, [])


def test_dung_from_somebody_only_sms_can_reach_is_not_obeyed_in_silence(by_sms: tuple[Laid, Outgoing]) -> None:
    laid, _ = by_sms
    with laid.database.write() as session:
        session.connection().execute(
            update(table(Contact)).where(table(Contact).c.email == COORDINATOR).values(email="")
        )
    assert text_in(laid, "DUNG") is AnswerResult.REFUSED
    assert (len(answers_of(laid)), wrote(laid)) == (1, ["DUNG"])


# --- everything together --------------------------------------------------------------------------------------------


def test_the_receiving_pass_reads_a_real_mailbox_and_does_not_stumble(laid: Laid) -> None:
    """An acknowledgement twice, an extension, an out-of-office, a bounce, nonsense, strangers, junk."""
    district = "coordinator@huyen-a.example"
    messages = [
        mail(laid, "Xác nhận", number=1),
        mail(laid, "Xác nhận", number=1),
        mail(laid, "GH 25/6 chờ số liệu", number=2),
        mail(laid, "Tôi nghỉ phép", number=3, Auto_Submitted="auto-replied"),
        returned_by_relay(laid, district, district),
        mail(laid, "Ai làm việc này?", number=5),
        mail(laid, "Xác nhận", number=6, by="la@mat.example", In_Reply_To="", References=""),
        b"",
        b"\xff\xfe not a message at all",
        b"From: \xff\xff@\xff\nContent-Type: text/plain; charset=nonsense\n\nx\n",
        b"Content-Type: multipart/mixed; boundary=x\nFrom: a@b.example\n\n--x\n\n--x--",
    ]
    with running_dovecot() as dovecot:
        for raw in messages:
            if raw:
                dovecot.put("tra-loi", raw)
        inbox = Inbox(
            host="127.0.0.1",
            username="tra-loi",
            password=PASSWORD,
            port=dovecot.port,
            security=Security.NONE,
            timeout=10,
        )
        ears = InboundSources(PROOF, inbox)
        counts = receive(laid.database, NOW, ears)
        again = receive(laid.database, NOW, ears)
    assert (counts["acknowledged"], counts["again"], counts["extension_asked"]) == (1, 1, 1)
    assert (counts["bounced"], counts["proposed"], counts.get("failed", 0)) == (1, 1, 0)
    assert (sum(counts.values()), again) == (10, {})
    assert state(laid) is State.ACKNOWLEDGED


def test_a_mailbox_out_of_reach_is_felt_and_raises_nothing(laid: Laid) -> None:
    ears = InboundSources(
        PROOF, Inbox(host="127.0.0.1", username="x", password="y", port=1, security=Security.NONE, timeout=2)
    )
    for _ in range(5):
        assert receive(laid.database, NOW, ears) == {"mailbox_failed": 1}
    with laid.database.read() as session:
        assert channel_health(session)["imap"].down


# --- free words for the thread ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("KK Chưa có kinh phí.", "difficulty", "Chưa có kinh phí"),
        (
            "Kính gửi Sở,\nKhó khăn, vướng mắc: thiếu người\nở hai xã.\nTrân trọng,\nPhòng A",
            "difficulty",
            "thiếu người ở hai xã",
        ),
        ("Hỏi: gửi số liệu theo mẫu nào?", "question", "gửi số liệu theo mẫu nào"),
        ("kk: IV.1.1 còn thiếu số liệu", "difficulty", "còn thiếu số liệu"),
    ],
)
def test_a_reply_in_free_words_stands_in_the_thread_and_the_monitor_is_told(
    laid: Laid, text: str, kind: str, said: str
) -> None:
    assert take(laid, mail(laid, text)) is AnswerResult.SAID
    (entry,) = rows(laid.database, ThreadEntry)
    assert (entry.kind, entry.text.rstrip("."), entry.agency_id) == (kind, said, "so-ban")
    assert rows(laid.database, Notice, kind=NoticeKind.RAISED) != []
    assert rows(laid.database, Notice, kind=NoticeKind.WROTE) == []
    assert take(laid, mail(laid, text, number=2)) is AnswerResult.ALREADY  # the same words, sent again
    assert len(rows(laid.database, ThreadEntry)) == 1


@pytest.mark.parametrize("text", ["KK", "KK IV.9.9 thiếu người", "TL: đã giao phòng A"])
def test_words_about_nothing_that_the_letter_names_are_forwarded(laid: Laid, text: str) -> None:
    assert take(laid, mail(laid, text)) in (AnswerResult.REFUSED, AnswerResult.PROPOSED)
    assert row(laid.database, IncomingMessage).waits is not None
    assert rows(laid.database, ThreadEntry) == []


def test_a_question_of_the_department_is_answered_by_a_reply_to_its_letter(laid: Laid) -> None:
    task = rows(laid.database, Assignment, agency_id="so-ban")[0].id
    with laid.database.write() as session:
        entries.ask(session, task, "Đã giao phòng nào?", actor="account:1", now=NOW)
    assert take(laid, mail(laid, "TL: Phòng Lao động.")) is AnswerResult.SAID
    asked, answered = rows(laid.database, ThreadEntry)
    assert (answered.answers_id, asked.answered_at is not None, answered.agency_id) == (asked.id, True, "so-ban")


def test_a_difficulty_by_sms_after_the_acknowledgement(by_sms: tuple[Laid, Outgoing]) -> None:
    laid, _ = by_sms
    code = code_of(laid)
    assert text_in(laid, f"XN {code}") is AnswerResult.ACKNOWLEDGED
    assert text_in(laid, f"KK {code} thieu kinh phi", number=2) is AnswerResult.SAID
    (entry,) = rows(laid.database, ThreadEntry)
    assert (entry.kind, entry.text) == ("difficulty", "thieu kinh phi")


# --- several periods of one duty ------------------------------------------------------------------------------------

BEFORE, BETWEEN, AFTER = at("2021-04-15"), at("2021-04-20"), at("2021-05-19")
"""Days on which none, the first and both of the two periods are overdue."""


@pytest.fixture
def two_periods(sqlite_database: Database) -> Laid:
    """The first letter names IV.1.1 for the half-year, due on 16 April, and the year, due on 17 May; after three days
    an SMS does."""

    def fill(database: Database) -> Laid:
        laid = lay(database, now=NOW, rules=policy(open_days_before=260))
        with database.write() as session:
            a, c = table(Assignment), table(Contact)
            session.connection().execute(update(c).where(c.c.email == COORDINATOR).values(phone=NUMBER))
            for period, due_on in (("2021-H1", date(2021, 4, 16)), ("2021-Y", date(2021, 5, 17))):
                session.connection().execute(update(a).where(a.c.period == period).values(due_on=due_on))
        for day in (NOW, at("2021-04-12")):
            swept(database, day)
            sent(laid, day)
        return laid

    return laid_once(sqlite_database, "a duty with two open periods", fill)


def days_of(laid: Laid, model: type, day: str) -> dict[str, date]:
    """The day that was asked for or promised, by period."""
    periods = {each.id: each.period for each in rows(laid.database, Assignment)}
    return {periods[each.assignment_id]: getattr(each, day) for each in rows(laid.database, model)}


def test_not_yet_and_a_promise_are_of_the_period_that_is_overdue(two_periods: Laid) -> None:
    """Half-year and year were both promised, and the writer read «IV.1.1»."""
    assert take(two_periods, mail(two_periods, "CHUA IV.1.1 30/4 chờ số liệu"), BETWEEN) is AnswerResult.REPORTED
    assert days_of(two_periods, Promise, "promised_on") == {"2021-H1": date(2021, 5, 4)}  # after the holidays
    assert told(two_periods) == ["Đã ghi nhận: lời hẹn hoàn thành IV.1.1 (6 tháng đầu năm 2021) ngày 30/4/2021."]


def test_an_extension_is_of_the_period_that_is_still_open(two_periods: Laid) -> None:
    assert take(two_periods, mail(two_periods, "GH IV.1.1 25/5 chờ số liệu"), BETWEEN) is AnswerResult.EXTENSION_ASKED
    assert days_of(two_periods, Extension, "until") == {"2021-Y": date(2021, 5, 25)}
    assert rows(two_periods.database, Promise) == []
    assert told(two_periods) == ["Đã ghi nhận: đề nghị gia hạn IV.1.1 (năm 2021) đến 25/5/2021."]


@pytest.mark.parametrize(
    ("text", "now"),
    [
        ("GH IV.1.1 25/5 chờ số liệu", BEFORE),
        ("GH IV.1.1 25/6 chờ số liệu", AFTER),
        ("CHUA IV.1.1 30/6 chờ số liệu", AFTER),
        ("CHUA IV.1.1 30/4 chờ số liệu", BEFORE),
    ],
)
def test_where_not_just_one_period_fits_the_writer_is_asked_which_and_the_message_waits(
    two_periods: Laid, text: str, now: Any
) -> None:
    assert take(two_periods, mail(two_periods, text), now) is AnswerResult.REFUSED
    nothing = [rows(two_periods.database, model) for model in (Extension, Promise, Report)]
    assert (nothing, happened(two_periods.database, kind=EventKind.DECLINED)) == ([[], [], []], [])
    assert row(two_periods.database, IncomingMessage).waits == "refused"
    assert told(two_periods)[0].startswith("Mục IV.1.1 chưa hoàn thành ở nhiều kỳ (6 tháng đầu năm 2021, năm 2021);")


def test_what_was_reported_leaves_the_other_period_to_be_extended_or_promised(two_periods: Laid) -> None:
    bring_to(two_periods.database, State.REPORTED, two_periods.assignment("IV.1.1", "so-ban", "2021-Y"), now=BEFORE)
    assert take(two_periods, mail(two_periods, "GH IV.1.1 25/4 chờ số liệu"), BETWEEN) is AnswerResult.EXTENSION_ASKED
    assert days_of(two_periods, Promise, "promised_on") == {"2021-H1": date(2021, 4, 26)}  # the 25th is a Sunday
    assert told(two_periods) == ["Đã ghi nhận: lời hẹn hoàn thành IV.1.1 ngày 25/4/2021."]


def test_by_sms_an_extension_is_of_the_period_that_is_still_open(two_periods: Laid) -> None:
    text = f"GH {code_of(two_periods)} IV.1.1 25/5 cho so lieu"
    assert text_in(two_periods, text, now=BETWEEN) is AnswerResult.EXTENSION_ASKED
    assert days_of(two_periods, Extension, "until") == {"2021-Y": date(2021, 5, 25)}
    assert told(two_periods) == ["Đã ghi nhận: đề nghị gia hạn IV.1.1 (năm 2021) đến 25/5/2021."]


def test_an_acknowledgement_by_zalo_names_the_periods_that_it_is_of(two_periods: Laid) -> None:
    zalo = incoming("z1", "1234567890", f"XN {code_of(two_periods)}")
    with two_periods.database.write() as session:
        assert answers.take_zalo(session, zalo, BEFORE) is AnswerResult.ACKNOWLEDGED
    assert told(two_periods) == ["Đã ghi nhận: xác nhận đã nhận IV.1.1 (6 tháng đầu năm 2021), IV.1.1 (năm 2021)."]


def test_of_two_duties_in_one_request_the_late_one_is_promised_and_the_other_extended(laid: Laid) -> None:
    """Both were called an extension, and one that was refused was not mentioned."""
    by = "coordinator@so-chinh.example"
    letter = row(laid.database, Letter, contact_id=row(laid.database, Contact, email=by).id)
    task = laid.assignment("IV.1.1", "so-ban")
    with laid.database.write() as session:
        a = table(Assignment)
        session.connection().execute(update(a).where(a.c.id == task).values(agency_id="so-chinh", due_on=NOW.date()))
        n = table(Notice)
        own = rows(laid.database, Notice, letter_id=letter.id)[0].id
        session.connection().execute(
            update(n).where(n.c.assignment_id == task, n.c.id != own).values(letter_id=letter.id)
        )
    raw = mail(laid, "GH IV.4.1, IV.1.1, IV.9.9 25/6 chờ số liệu", by=by, to=letter.receipt, quote=quoted(laid, by))
    take(laid, raw, NOW + timedelta(days=1))
    assert told(laid) == [
        "Đã ghi nhận: đề nghị gia hạn IV.4.1 đến 25/6/2021; lời hẹn hoàn thành IV.1.1 ngày 25/6/2021. "
        "Thư này không nêu nhiệm vụ ấy. (“IV.9.9 25/6/2021: chờ số liệu”) Thư đã được chuyển bộ phận theo dõi."
    ]


# --- answers to the weekly digest -----------------------------------------------------------------------------------

MONDAY = at("2021-07-05", "08:00")


@pytest.fixture
def digested(sqlite_database: Database) -> Laid:
    """Nobody reported; the letters of a Monday, which hold the weekly digest and nothing else for most, have left."""

    def fill() -> int:
        laid = lay(sqlite_database, now=NOW)
        day = NOW.replace(hour=0, minute=5)
        while day < MONDAY:
            swept(sqlite_database, day)
            with sqlite_database.write() as session:
                if weekly_digest.is_owed(session, day):
                    weekly_digest.make(session, day)
            sent(laid, day + timedelta(minutes=40))
            day += timedelta(days=1)
        return laid.plan_id

    return Laid(sqlite_database, once(sqlite_database, "a digest that can be answered", fill))


def digest_to(laid: Laid, mailbox: str) -> Any:
    contact = row(laid.database, Contact, email=mailbox)
    return [each for each in rows(laid.database, Letter, contact_id=contact.id) if each.digest_week][-1]


def reply_to_digest(laid: Laid, text: str, by: str = COORDINATOR, number: int = 1) -> AnswerResult:
    letter = digest_to(laid, by)
    text_of = str(row(laid.database, LetterBody, letter_id=letter.id).text)
    quote = "".join(f"> {line}\n" for line in text_of.splitlines())
    return take(laid, mail(laid, text, by=by, to=letter.receipt, quote=quote, number=number), MONDAY)


def test_an_acknowledgement_of_the_digest_acknowledges_what_it_lists(digested: Laid) -> None:
    letter = digest_to(digested, COORDINATOR)
    assert rows(digested.database, Notice, letter_id=letter.id) == []
    assert state(digested) is State.ASSIGNED
    assert reply_to_digest(digested, "Đã nhận") is AnswerResult.ACKNOWLEDGED
    assert state(digested) is State.ACKNOWLEDGED


def test_a_difficulty_in_an_answer_to_the_digest_stands_in_the_thread(digested: Laid) -> None:
    assert reply_to_digest(digested, "KK: IV.1.1 thiếu số liệu của hai xã") is AnswerResult.SAID
    assert row(digested.database, ThreadEntry).assignment_id == digested.assignment("IV.1.1", "so-ban")


@pytest.mark.parametrize("text", ["Đơn vị đang tổng hợp, tuần sau gửi.", "GH 25/5 chờ số liệu của xã"])
def test_what_the_digest_cannot_be_answered_with_reaches_the_monitor_as_the_writer_is_told(
    digested: Laid, text: str
) -> None:
    assert reply_to_digest(digested, text) in (AnswerResult.NOT_UNDERSTOOD, AnswerResult.PROPOSED)
    assert wrote(digested) == [text]
    relay, _ = sent(digested, MONDAY)
    (answer,) = [each for each in relay.letters if each.to == COORDINATOR]
    assert "bộ phận theo dõi" in answer.text


def test_an_extension_in_an_answer_to_the_digest_is_a_promise_since_all_in_it_is_late(digested: Laid) -> None:
    assert reply_to_digest(digested, "GH 25/7 chờ số liệu của xã") is AnswerResult.EXTENSION_ASKED
    assert row(digested.database, Promise).promised_on == date(2021, 7, 26)  # the 25th is a Sunday


def test_the_leadership_s_answer_to_its_digest_reaches_the_monitor(digested: Laid) -> None:
    leadership = next(each for each in rows(digested.database, Contact) if each.role is Role.LEADERSHIP).email
    assert reply_to_digest(digested, "Đề nghị Sở báo cáo ngay.", leadership) is AnswerResult.NOT_UNDERSTOOD
    assert wrote(digested) == ["Đề nghị Sở báo cáo ngay."]


def test_nothing_is_said_to_be_forwarded_that_is_not(digested: Laid) -> None:
    """The monitor's own answer: there is nobody to forward it to."""
    assert reply_to_digest(digested, "Việc này để tôi xem lại.", MONITOR) is AnswerResult.NOT_UNDERSTOOD
    assert wrote(digested) == []
    relay, _ = sent(digested, MONDAY)
    (answer,) = [each for each in relay.letters if each.to == MONITOR and "chưa nhận biết" in each.text]
    assert "chuyển bộ phận theo dõi" not in answer.text
