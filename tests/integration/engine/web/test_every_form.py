"""Whatever is sent to any form, by anybody: an answer in words, never a 5xx, and a refusal has changed nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from ground.office import Office, as_role, contact_of, enter, join, open_office
from ground.walk import HOSTILE, NUL, Watched, form_body, routes, survey, trouble
from httpx import Response

from engine.accounts.permissions import ActorRole
from engine.accounts.signed_links import Purpose
from engine.http.request_context import BINDING_COOKIE
from engine.store.database import Database

POSTS = routes("POST")
LONG = "ẵ" * 200 + "a" * 20_000
"""Mostly letters of one byte in a form: six such fields must not be refused for their weight before they are read."""
WHOSE = {ActorRole.MONITOR: "so-chinh", ActorRole.LEADERSHIP: "tinh", ActorRole.ADMINISTRATOR: "so-chinh"}
COUNTS_TRIES = ("/sign-in", "/account/password")
"""Where a refusal is counted, so that nobody may go on guessing."""
GUESSED = dict.fromkeys(("id", "plan", "reason", "by", "email", "password", "name"), "1")
"""What is sent to an address whose form no page shows now."""

FORM = {"content-type": "application/x-www-form-urlencoded"}
_KNOWN: dict[str, dict[str, str]] = {}


@pytest.fixture
def office(lived: Database, tmp_path: Path) -> Office:
    """The pages as an administrator's browser sees them, who has a password: every form is shown to him."""
    account_id = join(lived, "administrator", "tinh", password="mot cau dai de nho 7")
    return enter(open_office(lived, tmp_path), account_id)


@pytest.fixture
def watched(office: Office, lived: Database) -> Iterator[Watched]:
    file = Watched(Path(str(lived.url.database)))
    yield file
    file.close()


def known(office: Office) -> dict[str, dict[str, str]]:
    """Every POST address with the fields of its form, or with guessed ones where none is shown. Looked up once a run:
    the pages are the same each time, and so are the tokens, since the cookie is."""
    office.client.cookies.set(BINDING_COOKIE, "the same in every test")
    if not _KNOWN:
        contact = contact_of(office.context.database, "huyen-b")
        letters = office.link(Purpose.ACKNOWLEDGE, contact, "1"), office.link(Purpose.REPORT, contact, "1:2021-H1")
        found = survey(office, *letters, *(f"/assignments/{number}" for number in range(1, 6)))
        guessed = GUESSED | {"token": office.token("/account")}
        _KNOWN.update({each.filled(): guessed for each in found.addresses if each.method == "POST"})
        _KNOWN.update(sorted((path, dict(fields)) for path, fields in found.forms.items()))
    return _KNOWN


class Sender:
    """Sends, judges the answer, and puts the database back when something was done."""

    def __init__(self, office: Office, watched: Watched) -> None:
        self.delivery, self.watched, self.wrong = office, watched, list[str]()
        self._cookies = dict(office.client.cookies)

    def send(self, path: str, why: str, **how: Any) -> Response:
        answer = self.delivery.client.post(path, **how)
        found = trouble(answer)
        changed = self.watched.changed()
        if not found and answer.status_code >= 400 and changed and not path.startswith(COUNTS_TRIES):
            written = self.watched.changed_tables() - {"pending_answer"}  # the ticket of long work, refused or not
            found = f"{answer.status_code}, and yet something was written: {written}" if written else ""
        if found:
            self.wrong.append(f"{path} ({why}): {found}"[:400])
        if changed:
            self.watched.restore()
            self.delivery.client.cookies = httpx.Cookies(self._cookies)
        return answer


def test_the_walk_knows_the_forms(office: Office) -> None:
    paths = known(office)
    assert {"code", "reason", "token", "until"} == set(paths["/assignments/1/return"])
    assert {"old", "new", "again"} <= set(paths["/account/password"])
    assert any(path.startswith("/l/") for path in paths)
    assert len(paths) >= len(POSTS)


def test_no_value_in_any_field_breaks_a_form(office: Office, watched: Watched) -> None:
    """Every value in all fields at once, and each field alone with one of them, the others as the page shows them: what
    reads a field is the same whichever value it holds, and every value meets some field alone."""
    sender = Sender(office, watched)
    for path, fields in known(office).items():
        token = {"token": fields["token"]} if "token" in fields else {}
        sender.send(path, "no fields", data=token)
        for value in (*HOSTILE, LONG):
            sender.send(path, f"all {value[:20]!r}", **form_body(dict.fromkeys(fields, value) | token))
        for n, name in enumerate(each for each in fields if each != "token"):
            value = HOSTILE[(n * 7 + 1) % len(HOSTILE)]
            sender.send(path, f"{name} {value[:20]!r}", **form_body(fields | {name: value}))
    assert sender.wrong == []


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(4))
def test_no_mixture_of_values_breaks_a_form(office: Office, watched: Watched, seed: int) -> None:
    """Each field as shown, hostile, left out or twice, at random; the seed says which."""
    chance, sender = random.Random(seed), Sender(office, watched)
    for path, fields in known(office).items():
        token = {"token": fields["token"]} if "token" in fields else {}
        for _ in range(12):
            mixed: dict[str, Any] = {}
            for name, shown in fields.items():
                value = chance.choice((shown, shown, chance.choice(HOSTILE)))
                if chance.random() < 0.8:
                    mixed[name] = [value, value] if chance.random() < 0.1 else value
            body = urlencode(mixed | token, doseq=True, errors="surrogatepass").encode()
            sender.send(path, str(mixed)[:120], content=body, headers=FORM)
    assert sender.wrong == []


def test_a_form_without_its_token_or_with_another_s_does_nothing(office: Office, watched: Watched) -> None:
    sender = Sender(office, watched)
    for path, fields in known(office).items():
        for token in ("", "ImZvcmVpZ24i.AAAA", "\x00", fields.get("token", "x")[:-2]):
            answer = sender.send(path, f"token {token[:10]!r}", **form_body(fields | {"token": token}))
            assert answer.status_code >= 400, path
    assert sender.wrong == []


def test_no_body_of_any_kind_breaks_a_form(office: Office, watched: Watched) -> None:
    sender = Sender(office, watched)
    for path, fields in known(office).items():
        for content, kind in (*_bodies(fields.get("token", "")), *_HEAVY):
            sender.send(path, f"{kind} {content[:20]!r}", content=content, headers={"content-type": kind})
    assert sender.wrong == []


@pytest.mark.parametrize("role", list(ActorRole))
def test_no_role_breaks_a_form_nor_is_refused_without_words(
    office: Office, lived: Database, tmp_path: Path, role: ActorRole
) -> None:
    shown = known(office)
    visitor = as_role(lived, tmp_path, role.value, WHOSE.get(role, "huyen-a"))
    visitor.client.cookies.set(BINDING_COOKIE, "the same in every test")
    token = visitor.token("/account")
    watched = Watched(Path(str(lived.url.database)))
    sender = Sender(visitor, watched)
    for path, fields in shown.items():
        sender.send(path, "as shown to the administrator", **form_body(fields | {"token": token}))
        sender.send(path, "hostile", **form_body(dict.fromkeys(fields, NUL) | {"token": token}))
    watched.close()
    assert token
    assert sender.wrong == []


def _bodies(token: str) -> list[tuple[bytes, str]]:
    urlencoded, multipart = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
    part = b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n' + token.encode() + b"\r\n"
    file = b'--b\r\nContent-Disposition: form-data; name="reason"; filename="../x"\r\n\r\n\xff\r\n--b--\r\n'
    return [
        (b"", urlencoded),
        (b"token=%ff%fe&reason=%zz&=&&;", urlencoded),
        (b"token=\xff\xfe\x00", urlencoded),
        (b'{"token": 1}', "application/json"),
        (b"x", "text/plain"),
        (b"x", "nonsense"),
        (b"a=1", ""),
        (b"a=1", urlencoded + "; charset=utf-7"),
        (b"a=1", urlencoded + "; charset=no-such"),
        (part + file, multipart),
        (part + b"--b", multipart),
        (b"--c\r\n", multipart),
        (b"\x00" * 50, multipart),
        (part[:-2], multipart),
        (b"--b\r\nX: " + b"y" * 70_000 + b"\r\n\r\n\r\n--b--", multipart),
        (part, "multipart/form-data"),
        (part, 'multipart/form-data; boundary="' + "z" * 300 + '"'),
    ]


_HEAVY = (
    (b"a=" + b"x" * 1_100_000, "application/x-www-form-urlencoded"),
    (b"&".join(b"f%d=1" % n for n in range(3_000)), "application/x-www-form-urlencoded"),
)
