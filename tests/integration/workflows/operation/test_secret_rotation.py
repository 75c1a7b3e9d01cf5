"""Another secret takes the old one's place: what the old one signed and sealed is read until nothing depends on it."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.commands import Commands
from ground.factory import at, begin, row, rows, store
from ground.post import LetterBox, post_office

from config.settings import Settings
from engine.accounts.key_ring import SECRET, begin_rotation, load_keys
from engine.accounts.signed_links import Link, Purpose, numbered
from engine.admin.first_steps import arrival_keys
from engine.admin.settings_view import read_entered, save
from engine.errors import Conflict, LinkRefused, Unavailable
from engine.features.webhooks import subscriptions as webhooks
from engine.http.security import FormTokens
from engine.rules.targets import Allowed
from engine.store.database import Database
from engine.store.facts import write_fact
from engine.store.records import Event, Letter, Webhook
from engine.terms import EventKind
from notifications.inbound.callbacks import OLD_CALLBACK
from workflows.operation.secret_rotation import Standing, retire, rotate, standing
from workflows.run import passes
from workflows.run.installation import establish, require_installation
from workflows.run.system import Running, System, compose

NOW = at("2021-06-14", "12:00")
ENTERED = {"smtp_host": "relay.example", "smtp_username": "so", "smtp_password": "mat-khau"}
LINK = Link(
    purpose=Purpose.REPORT, contact_id=1, subject="1:2021-H1", made_on=date(2021, 6, 1), until=date(2021, 7, 16)
)


def settings_of(folder: Path, database: Database, **more: Any) -> Settings:
    url = database.bind.url.render_as_string(hide_password=False)
    return Settings(_env_file=None, data_dir=folder, database_url=url, prefect=False, **more)  # type: ignore[call-arg]


@pytest.fixture
def office(database: Database, tmp_path: Path) -> System:
    system = compose(settings_of(tmp_path / "one", database))
    establish(system)
    with database.write() as session:
        save(
            session, system.signer, system.settings, system.settings.with_entered(ENTERED), ENTERED, actor="x", now=NOW
        )
        webhooks.add(
            session,
            system.signer,
            Allowed.of("esb.example"),
            url="https://esb.example/",
            label="",
            events=[],
            actor="x",
            now=NOW,
        )
    return system


def rotated(system: System) -> System:
    """As the command does; the system as a process that starts then."""
    keys = load_keys(system.settings, system.database)
    rotate(system.settings, system.database, keys, NOW, actor="cli:test")
    return compose(system.settings)


def looked_at(system: System, days: int = 0) -> Standing:
    return standing(system.database, load_keys(system.settings, system.database), NOW + timedelta(days=days))


def test_what_the_first_key_made_is_read_by_the_next_and_what_the_next_makes_bears_its_number(office: System) -> None:
    old = office.signer
    link, cookie = old.token(LINK), old.serializer("known-browser").dumps("mark")
    form, arrival = FormTokens(old).make("binding"), arrival_keys(old, "2021-W24")[0]
    before = office.settings.signing_key()
    new = rotated(office).signer
    assert office.settings.signing_key() != before
    assert new.verify(Purpose.REPORT, link) == LINK
    assert new.serializer("known-browser").loads(cookie) == "mark"
    FormTokens(new).check(form, "binding")
    assert arrival in arrival_keys(new, "2021-W24")
    assert new.token(LINK).startswith("2.")
    assert new.verify(Purpose.REPORT, new.token(LINK)) == LINK
    with pytest.raises(LinkRefused):
        new.verify(Purpose.REPORT, f"2.{link}")
    with pytest.raises(LinkRefused):
        new.verify(Purpose.REPORT, new.token(LINK).removeprefix("2."))


def test_what_is_sealed_is_sealed_again_at_once(office: System) -> None:
    sealed = row(office.database, Webhook).secret
    secrets = webhooks.current_secrets(office.signer, row(office.database, Webhook), NOW)
    new = rotated(office)
    again = row(office.database, Webhook)
    assert (numbered(sealed)[0], numbered(again.secret)[0]) == (1, 2)
    assert webhooks.current_secrets(new.signer, again, NOW) == secrets
    assert read_entered(office.database, new.signer).values == ENTERED
    assert looked_at(office).sealed == 0


def test_a_process_that_runs_on_reads_what_the_new_key_made_and_soon_signs_by_it(office: System) -> None:
    running, relays = Running(office), list[System]()
    running._changed = relays.append
    made = rotated(office).signer.token(LINK)
    assert office.signer.verify(Purpose.REPORT, made) == LINK, "an unknown number is looked up"
    running()
    assert office.signer.token(LINK) == made
    assert len(relays) == 1, "the relay's return addresses are signed by the new key"


def test_a_second_machine_takes_the_new_secret_over(office: System, tmp_path: Path) -> None:
    other = settings_of(tmp_path / "two", office.database, files_dir=office.settings.files)
    other.data_dir.mkdir()
    (other.data_dir / SECRET).write_text(office.settings.signing_key())
    signer = compose(other).signer
    rotated(office)
    require_installation(other)
    assert signer.verify(Purpose.REPORT, compose(other).signer.token(LINK)) == LINK
    assert other.signing_key() == office.settings.signing_key()
    assert (other.data_dir / SECRET).stat().st_mode & 0o077 == 0


def test_a_kill_before_the_file_is_written_loses_nothing(office: System) -> None:
    before, link = office.settings.signing_key(), office.signer.token(LINK)
    rotated(office)
    (office.settings.data_dir / SECRET).write_text(before)
    require_installation(office.settings)
    started = compose(office.settings)
    assert started.signer.verify(Purpose.REPORT, link) == LINK
    assert read_entered(started.database, started.signer).values == ENTERED
    assert office.settings.signing_key() != before


def test_of_two_rotations_one_is_refused(office: System) -> None:
    keys = load_keys(office.settings, office.database)
    rotated(office)
    with office.database.write() as session, pytest.raises(Conflict):
        begin_rotation(session, keys, "another secret of this test", NOW)
    require_installation(office.settings)
    with pytest.raises(Conflict):
        rotated(office)


def test_the_old_key_stays_while_a_letter_s_link_lives_and_then_goes(office: System, tmp_path: Path) -> None:
    begin(store(office.database, now=at("2021-04-07")), now=at("2021-04-07"))
    box = LetterBox()
    asyncio.run(passes.tick(office.database, NOW, post_office(box)))
    sent = len(rows(office.database, Letter))
    assert sent
    link = office.signer.token(LINK)
    rotated(office)
    assert looked_at(office).letters == sent
    assert looked_at(office, days=84).letters > 0, "they are the newest about duties that are not done"
    with pytest.raises(Conflict, match="dondoc secret status"):
        retire(office.settings, office.database, NOW, actor="cli:test")
    later = NOW + timedelta(days=84)
    asyncio.run(passes.tick(office.database, later, post_office(box)))
    assert looked_at(office, days=84).free
    retire(office.settings, office.database, later, actor="cli:test")
    ended = compose(office.settings)
    with pytest.raises(LinkRefused):
        ended.signer.verify(Purpose.REPORT, link)
    assert ended.signer.token(LINK).startswith("2.")
    assert read_entered(ended.database, ended.signer).values == ENTERED
    assert rotated(ended).signer.token(LINK).startswith("3."), "it can be changed again"


def test_a_gateway_that_calls_the_old_address_keeps_the_old_key(office: System) -> None:
    rotated(office)
    with office.database.write() as session:
        write_fact(session, OLD_CALLBACK, (NOW + timedelta(days=50)).isoformat())
    assert looked_at(office, days=55).called_at == NOW + timedelta(days=50)
    assert looked_at(office, days=58).free


def test_a_stolen_key_goes_at_once_and_a_machine_that_was_away_does_not_start(office: System) -> None:
    stolen, link = office.settings.signing_key(), office.signer.token(LINK)
    rotated(office)
    retire(office.settings, office.database, NOW, actor="cli:test", at_once=True)
    with pytest.raises(LinkRefused):
        compose(office.settings).signer.verify(Purpose.REPORT, link)
    (office.settings.data_dir / SECRET).write_text(stolen)
    with pytest.raises(Unavailable, match="khóa bí mật"):
        require_installation(office.settings)


def test_where_the_environment_gives_the_secret_the_command_prints_the_next(
    office: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = office.settings.signing_key()
    url = office.settings.database
    dondoc = Commands(tmp_path / "one", url, monkeypatch, capsys, secret=given)
    assert "không còn khóa nào khác" in dondoc("secret", "status").well
    said = dondoc("secret", "rotate").well
    new = said.partition("DONDOC_SECRET=")[2].split()[0]
    assert "DONDOC_SECRET" in dondoc("secret", "retire").wrong
    assert "là khóa trước" in dondoc("doctor", "--no-connections").out
    dondoc.set(DONDOC_SECRET=new)
    assert "Bỏ khóa trước được" in dondoc("secret", "status").well
    assert "Chỉ khóa số 2" in dondoc("secret", "retire").well
    changes = [each.detail for each in rows(office.database, Event, kind=EventKind.SETTINGS_CHANGED)]
    assert [each.get("what", "") for each in changes] == ["", "secret_rotated", "secret_retired"]
