"""Letters kept in a folder while no relay is set up."""

from __future__ import annotations

import mailbox
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.errors import BadInput, NotFound
from notifications.contract.channel import Channel, Fate, Outgoing
from notifications.email.maildir import Maildir, letters, read
from notifications.email.mime import Sender, compose

SENDER = Sender("nhacviec@so.example", "Đôn Đốc")
LETTER = Outgoing(
    key="assignment:418:T-3",
    to="Văn thư <vanthu@huyen.example>",
    subject="[KH 188/KH-UBND] 3 nhiệm vụ đến hạn thứ Năm 17/6/2021",
    text="Kính gửi đầu mối\n",
    html="<p>Kính gửi</p>",
    at=datetime(2021, 6, 14, 1, tzinfo=UTC),
)


async def keep(folder: Path, *each: Outgoing, durable: bool = False) -> list[Fate]:
    async with Maildir(folder, SENDER, durable=durable, delivers=True) as channel:
        return [(await channel.send(letter)).fate for letter in each]


@pytest.mark.parametrize("durable", [False, True])
async def test_a_letter_is_kept_as_it_would_be_sent(tmp_path: Path, durable: bool) -> None:
    assert await keep(tmp_path, LETTER, durable=durable) == [Fate.DELIVERED]
    [path] = (tmp_path / "new").iterdir()
    assert path.read_bytes() == compose(LETTER, SENDER)[1]
    assert list((tmp_path / "tmp").iterdir()) == []


async def test_a_second_copy_replaces_the_first(tmp_path: Path) -> None:
    await keep(tmp_path, LETTER, replace(LETTER, at=LETTER.at + timedelta(hours=1)))
    [kept] = letters(tmp_path)
    assert kept.at == LETTER.at + timedelta(hours=1)


async def test_letters_are_listed_newest_first_and_read_whole(tmp_path: Path) -> None:
    later = replace(LETTER, key="assignment:418:T-1", at=LETTER.at + timedelta(days=2))
    await keep(tmp_path, later, LETTER)
    listed = letters(tmp_path)
    assert [kept.at for kept in listed] == [later.at, LETTER.at]
    assert [kept.at for kept in letters(tmp_path, limit=1)] == [later.at]
    whole = read(tmp_path, listed[1].name)
    assert (whole.text, whole.html, whole.subject) == (LETTER.text, LETTER.html, LETTER.subject)
    assert "vanthu@huyen.example" in whole.to


async def test_any_mail_reader_can_open_the_folder(tmp_path: Path) -> None:
    await keep(tmp_path, LETTER)
    [message] = mailbox.Maildir(tmp_path, create=False)
    assert message["Message-ID"] == compose(LETTER, SENDER)[0]


async def test_a_letter_that_a_reader_has_moved_and_flagged_is_still_found(tmp_path: Path) -> None:
    await keep(tmp_path, LETTER)
    [path] = (tmp_path / "new").iterdir()
    path.rename(tmp_path / "cur" / f"{path.name}:2,S")
    [kept] = letters(tmp_path)
    assert read(tmp_path, kept.name).text == LETTER.text


def test_a_folder_that_is_not_there_has_no_letters(tmp_path: Path) -> None:
    assert letters(tmp_path / "none") == []


@pytest.mark.parametrize("name", ["../new/x", "/etc/passwd", "", "x.dondoc", "0" * 32 + ".dondoc"])
async def test_only_our_own_letters_can_be_read(tmp_path: Path, name: str) -> None:
    await keep(tmp_path, LETTER)
    with pytest.raises(NotFound):
        read(tmp_path, name)


async def test_a_letter_to_nobody_is_refused(tmp_path: Path) -> None:
    assert await keep(tmp_path, replace(LETTER, to="a@b\r\n")) == [Fate.REFUSED]


async def test_a_disk_that_does_not_take_it_is_tried_again(tmp_path: Path) -> None:
    channel: Channel = Maildir(tmp_path, SENDER, delivers=True)
    async with channel:
        (tmp_path / "tmp").rmdir()
        outcome = await channel.send(LETTER)
    assert outcome.fate is Fate.RETRY
    assert str(tmp_path) in outcome.reply


async def test_a_folder_that_cannot_be_made_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="thư mục"):
        await keep(tmp_path / "file", LETTER)


async def test_outside_the_demonstration_a_letter_in_the_folder_is_kept_and_not_delivered(tmp_path: Path) -> None:
    async with Maildir(tmp_path, SENDER) as channel:
        outcome = await channel.send(LETTER)
    assert (outcome.fate, outcome.receipt) == (Fate.KEPT_HERE, "")
