"""Through a real gammu-smsd whose telephone is its dummy: files go out, files come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ground.sms_services import RunningSmsd, wait_until

from engine.errors import BadInput
from engine.terms import LetterState
from notifications.contract.channel import Fate, Outgoing
from notifications.sms.gammu import Gammu
from notifications.sms.gateway import reference
from notifications.sms.replies import candidate_codes, from_gammu, incoming

AT = datetime(2021, 6, 17, 1, tzinfo=UTC)


def letter(number: int = 1, text: str = "Nhiệm vụ IV.2.1 còn 3 ngày") -> Outgoing:
    return Outgoing(key=f"letter:{number}:sms:2021-06-17", to="0912345678", text=text, at=AT)


def channel_of(folder: Path) -> Gammu:
    for name in ("outbox", "sent", "error"):
        (folder / name).mkdir(exist_ok=True)
    return Gammu(folder / "outbox", folder / "sent", folder / "error")


async def test_a_letter_goes_out_through_the_daemon_and_its_file_is_its_receipt(smsd: RunningSmsd) -> None:
    channel = channel_of(smsd.folder)
    outcome = await channel.send(letter())
    assert (outcome.fate, outcome.receipt) == (Fate.ACCEPTED, reference(letter().key))
    wait_until(lambda: any(channel.receipts()), "the message in the folder of what was sent")
    [receipt] = channel.receipts()
    assert (receipt.receipt, receipt.state, receipt.code) == (outcome.receipt, LetterState.ACCEPTED, "sent")
    [path] = (smsd.folder / "sent").iterdir()
    assert path.read_text() == "Nhiem vu IV.2.1 con 3 ngay"


async def test_the_daemon_sends_as_many_parts_as_were_counted(smsd: RunningSmsd) -> None:
    channel = channel_of(smsd.folder)
    await channel.send(letter(1, "a" * 161))
    await channel.send(letter(2, "Đôn đốc"))
    wait_until(lambda: len(list(channel.receipts())) == 2, "two messages")
    log = (smsd.folder / "smsd.log").read_text(errors="replace")
    assert 'Found 2 sms to "+84912345678" with text "aaa' in log
    assert 'Found 1 sms to "+84912345678" with text "Don doc' in log


async def test_a_letter_submitted_again_is_not_sent_again(smsd: RunningSmsd) -> None:
    channel = channel_of(smsd.folder)
    first = await channel.send(letter())
    wait_until(lambda: any(channel.receipts()), "the message in the folder of what was sent")
    again = await channel.send(letter())
    assert (again.fate, again.receipt, again.code) == (Fate.ACCEPTED, first.receipt, "sent")
    assert list((smsd.folder / "outbox").iterdir()) == []


async def test_a_message_comes_in_as_it_was_typed(smsd: RunningSmsd) -> None:
    smsd.receive(1, "+84912345678", "GH 2762 25/6 chờ số liệu của xã")
    smsd.receive(2, "VIETTEL", "Quý khách còn 0 đồng")
    later = datetime.now(UTC) + timedelta(minutes=2)
    wait_until(lambda: len(from_gammu(smsd.folder / "inbox", later)) == 2, "two messages in the inbox")
    found = [message for message, _ in from_gammu(smsd.folder / "inbox", later)]
    assert [(each.sender, each.answerable) for each in found] == [("+84912345678", True), ("VIETTEL", False)]
    assert (candidate_codes(found[0].text), found[0].text) == (("2762",), "GH 2762 25/6 chờ số liệu của xã")


async def test_what_the_daemon_could_not_send_is_a_soft_bounce_and_may_be_sent_again(tmp_path: Path) -> None:
    channel = channel_of(tmp_path)
    await channel.send(letter())
    [waiting] = (tmp_path / "outbox").iterdir()
    waiting.rename(tmp_path / "error" / waiting.name)  # as gammu-smsd-files(7) says the daemon does
    [failed] = channel.receipts()
    outcome = await channel.send(letter())
    assert (failed.state, failed.code) == (LetterState.BOUNCED_SOFT, "error")
    assert (outcome.fate, outcome.receipt) == (Fate.ACCEPTED, failed.receipt)
    assert [path.name for path in (tmp_path / "outbox").iterdir()] == [waiting.name]
    assert list(channel.receipts()) == []


async def test_the_daemon_never_sees_half_a_letter_and_a_full_disk_is_tried_again(tmp_path: Path) -> None:
    channel = channel_of(tmp_path)
    half = tmp_path / "outbox" / f".OUTC_+84912345678_{reference(letter().key)}.txtd"
    half.mkdir()  # what cannot be written stands in its way
    outcome = await channel.send(letter())
    assert outcome.fate is Fate.RETRY
    assert "outbox" in outcome.reply
    assert [path.name for path in (tmp_path / "outbox").iterdir()] == [half.name]


async def test_old_messages_are_removed_with_their_numbers(tmp_path: Path) -> None:
    channel = channel_of(tmp_path)
    await channel.send(letter())
    [waiting] = (tmp_path / "outbox").iterdir()
    waiting.rename(tmp_path / "sent" / waiting.name)
    (tmp_path / "sent" / "OUT0912345678.txt").write_text("by another program")
    now = datetime.now(UTC)
    assert channel.prune(now - timedelta(days=1)) == 0
    assert channel.prune(now + timedelta(days=1)) == 1
    assert [path.name for path in (tmp_path / "sent").iterdir()] == ["OUT0912345678.txt"]


def test_one_folder_for_two_purposes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="three different folders"):
        Gammu(tmp_path, tmp_path, tmp_path / "error")


def test_the_parts_of_a_message_are_joined_when_all_have_come(tmp_path: Path) -> None:
    name = "IN20210617_070101_00_+84912345678_"
    (tmp_path / f"{name}00.txt").write_bytes("GH 2762 25/6 chờ ".encode("utf-16"))
    (tmp_path / f"{name}01.txt").write_bytes("số liệu".encode("utf-16"))
    (tmp_path / "IN20210617_070102_00_+84912345679_00.txt").write_text("XN 2762")
    (tmp_path / "INBOX.txt").write_text("a note")
    now = datetime.now(UTC)
    assert from_gammu(tmp_path, now) == []
    (whole, files), (short, _) = from_gammu(tmp_path, now + timedelta(minutes=1))
    assert whole == incoming(name.strip("_"), "+84912345678", "GH 2762 25/6 chờ số liệu")
    assert [path.name[-6:] for path in files] == ["00.txt", "01.txt"]
    assert short.text == "XN 2762"
