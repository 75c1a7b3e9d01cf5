"""Sign-in letters leave at once, by a relay that may be down, and say who asked and what to do."""

from __future__ import annotations

import asyncio
import logging
import re
from html import unescape
from pathlib import Path

import pytest
from ground.office import NOW
from ground.post import LinkBox, link_post
from ground.smtp_server import FaultyServer, Kind

from config.settings import Settings
from engine.accounts.signed_links import Signer
from engine.http.app_context import SignInLetter
from engine.text import LANGUAGES
from notifications.email.connection import Relay, Security
from notifications.email.maildir import letters, read
from notifications.email.mime import Sender
from notifications.email.smtp import Email
from notifications.letters.renderer import LetterRenderer, RendererSettings
from notifications.letters.sign_in_mailer import EmailSignInMailer
from workflows.run.channel_wiring import sign_in_mailer as wired

STATIONERY = LetterRenderer(Signer("a key of the tests of sign-in letters"), RendererSettings("https://dondoc.example"))


def sign_in_letter(**changes: str) -> SignInLetter:
    usual = {
        "name": "n1",
        "to": "coordinator@huyen-b.example",
        "agency": "UBND huyện B",
        "language": "vi",
        "path": "/sign-in/link/key",
        "device": "Chrome trên Android",
    }
    return SignInLetter(**(usual | changes), at=NOW)


def over(port: int) -> EmailSignInMailer:
    relay = Relay(
        host="127.0.0.1",
        sender=Sender("nhacviec@so.example", "Đôn Đốc"),
        port=port,
        security=Security.NONE,
        timeout=5.0,
        pause=0.0,
        connections=1,
    )
    return EmailSignInMailer(lambda: Email(relay), STATIONERY, lambda: STATIONERY.settings, timeout_seconds=0.5)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("device", ["Chrome trên Android", ""])
def test_the_letter_holds_the_link_the_device_the_time_and_what_to_do(language: str, device: str) -> None:
    box = LinkBox()
    link_post(box).send(sign_in_letter(language=language, device=device))
    letter = box.letters[-1]
    html = " ".join(unescape(re.sub("<[^>]+>", " ", letter.html.partition("<main>")[2])).split())
    for text in (letter.text, html):
        assert (device or {"vi": "không rõ", "en": "unknown"}[language]) in text
        assert "24/6/2021" in text
        assert {"vi": "Nếu không phải", "en": "If that was not you"}[language] in text
    assert "http://127.0.0.1:8188/sign-in/link/key" in letter.text
    assert 'href="http://127.0.0.1:8188/sign-in/link/key"' in letter.html
    assert (letter.unsubscribe, letter.key) == ("", "signin:n1")


async def test_it_reaches_the_relay_at_once_and_holds_no_list_of_duties() -> None:
    async with FaultyServer() as server:
        post = over(server.port)
        assert await asyncio.to_thread(post.reachable)
        await asyncio.to_thread(post.send, sign_in_letter())
    assert len(server.taken) == 1


@pytest.mark.parametrize("kind", [Kind.LATER, Kind.NEVER, Kind.DROP, Kind.SILENCE])
async def test_a_relay_that_does_not_open_is_not_reachable(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    async with FaultyServer({"banner": kind}) as server:
        assert not await asyncio.to_thread(over(server.port).reachable)


def test_without_a_relay_letters_go_to_the_maildir_which_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)  # type: ignore[call-arg]
    post = wired(lambda: settings, Signer("x"))
    assert post.reachable()
    with caplog.at_level(logging.INFO, "notifications.letters.sign_in_mailer"):
        post.send(sign_in_letter())
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "no relay is set" in caplog.text
    kept = letters(settings.maildir)
    assert [each.to for each in kept] == ["coordinator@huyen-b.example"]
    assert "/sign-in/link/key" in read(settings.maildir, kept[0].name).text


def test_a_folder_that_cannot_be_written_is_not_reachable(tmp_path: Path) -> None:
    (tmp_path / "maildir").write_text("a file where the folder should be")
    settings = Settings(_env_file=None, data_dir=tmp_path)  # type: ignore[call-arg]
    assert not wired(lambda: settings, Signer("x")).reachable()
