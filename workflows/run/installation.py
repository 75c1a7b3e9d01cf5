"""Which installation this is: an id and a check value of the secret, in the database and beside the evidence files;
and the high-water mark once more, as a message in its mailbox: a snapshot of the whole machine takes the file
along.

``dondoc init`` makes it. ``serve``, the passes and Prefect workers run only where database, secret and files belong
together: an unmounted volume, an empty file or a wrong folder would otherwise become a new, empty office that reports
itself well, and a second server with a secret of its own would refuse the links that the first one sends.

A second one: whatever the mailbox answers, the file decides, and letters go on.

Its Message-ID is derived from the secret, so that no letter from outside can take its place.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import uuid
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, inspect, select
from sqlmodel import Session

from config import DATA
from config.settings import Settings
from engine.accounts.key_ring import load_keys
from engine.admin.settings_view import without_password
from engine.errors import BadInput, Unavailable
from engine.files.calendar import load_calendar
from engine.files.yaml_reader import read
from engine.plans import loading
from engine.rules.policy import Policy
from engine.store.database import Database, insert_new, table
from engine.store.facts import INSTALLATION, read_as, read_fact, write_fact
from engine.store.high_water import NAME, MarkElsewhere, MarkUnusable
from engine.store.records import Account, Agency, Fact, Plan
from engine.text import Text
from workflows.run.system import System

FACT = INSTALLATION
MARK = ".installation"
"""The file beside the evidence files that holds the id."""


def establish(system: System) -> str:
    """Make the installation, or complete it where a process was killed in between. Returns its id."""
    installation = uuid.uuid4().hex
    value = json.dumps({"id": installation, "secret": _check_value(system.settings.signing_key(), installation)})
    with system.database.write() as session:
        insert_new(session, Fact, [{"name": FACT, "value": value}])
    installation = installation_id(system.database)
    files = system.settings.files
    files.mkdir(parents=True, exist_ok=True)
    if not (files / MARK).exists():
        (files / MARK).write_text(installation)
    return installation


def require_own_or_new(settings: Settings) -> None:
    """What ``init`` asks before it makes anything: a place where nothing was set up, or one that runs already. Raises
    Unavailable at an installation whose secret or files are elsewhere; with a secret and a folder made here it would
    run beside the first server and keep other evidence files. One without an account or a plan is completed: ``init``
    was killed in between."""
    database = Database(settings.database)
    if settings.demo or not database.made:
        return
    try:
        with database.read() as session:
            has_tables = inspect(session.connection()).has_table(table(Fact).name)
            in_use = has_tables and any(
                session.connection().scalar(select(each.c.id).limit(1)) for each in (table(Account), table(Plan))
            )
        if in_use:
            require_installation(settings)
    finally:
        database.dispose()


def load_defaults(database: Database, now: datetime, *, actor: str = "cli") -> None:
    """Load the policy and the calendar that ship with the product. Loading again changes nothing."""
    with database.write() as session:
        loading.load_policy(session, read(DATA / "policies/default.yaml", Policy), actor=actor, now=now)
        days = load_calendar(DATA / "calendars/vn.yaml").exceptions.values()
        loading.load_days(session, days, actor=actor, now=now)


def require_installation(settings: Settings) -> None:
    """Refuse to run on anything but what ``init`` made, before anything is created. Raises Unavailable with what is
    missing and what to do. An installation of a version that had no id gets one."""
    if settings.demo:
        return
    database = Database(settings.database)
    database.require_made()
    try:
        with database.read() as session:
            has_tables = inspect(session.connection()).has_table(table(Fact).name)
        if not has_tables:
            place = without_password(settings.database)
            raise _refused(f"cơ sở dữ liệu {place} còn trống", f"the database {place} is empty")
        stored = _stored(database)
        secret = settings.data_dir / "secret"
        has_secret = settings.secret.get_secret_value() or (secret.is_file() and secret.stat().st_size > 0)
        if not has_secret:
            raise _incomplete(
                f"không có khóa bí mật {settings.data_dir}/secret; chép nó từ máy chủ đầu hoặc đặt DONDOC_SECRET",
                f"no secret at {settings.data_dir}/secret; copy the first server's, or set DONDOC_SECRET",
            )
        if not stored:
            with database.read() as session:
                if not session.connection().scalar(select(func.count()).select_from(table(Agency))):
                    raise _refused("cơ sở dữ liệu chưa có gì", "nothing was ever set up in this database")
            return  # of an earlier version: establish() follows
        if stored["secret"] != _check_value(load_keys(settings, database)[0].secret, stored["id"]):
            raise _incomplete(
                f"khóa bí mật ở đây không phải của cài đặt này; chép {settings.data_dir}/secret của máy chủ đầu "
                "hoặc đặt DONDOC_SECRET",
                f"the secret here is not this installation's; copy {settings.data_dir}/secret of the first server, or "
                "set DONDOC_SECRET",
            )
        mark = settings.files / MARK
        if not mark.exists() or mark.read_text().strip() != stored["id"]:
            raise _incomplete(
                f"thư mục tệp {settings.files} (DONDOC_FILES_DIR) không phải của cài đặt này hoặc chưa được gắn vào",
                f"the folder of files {settings.files} (DONDOC_FILES_DIR) is not this installation's or not mounted",
            )
    finally:
        database.dispose()


def installation_id(database: Database) -> str:
    """The id, empty where there is none (a demonstration)."""
    return _stored(database).get("id", "")


def check_installation(database: Database, expected: str) -> None:
    """Raises Unavailable if this database is not that of the installation ``expected`` (empty: not asked)."""
    if expected and installation_id(database) != expected:
        raise Unavailable(
            Text(
                "Máy này dùng cơ sở dữ liệu khác với nơi đã đăng ký; xem DONDOC_DATABASE_URL của nó.",
                "This worker uses another database than the deployment was registered with; see its "
                "DONDOC_DATABASE_URL.",
            )
        )


def _stored(database: Database) -> dict[str, str]:
    with database.read() as session:
        value = read_fact(session, FACT)
    return read_as(value, dict, {})


def note_secret(session: Session, secret: str) -> None:
    """Another secret is this installation's from here on."""
    stored: dict[str, str] = read_as(read_fact(session, FACT), dict, {})
    if stored:
        write_fact(session, FACT, json.dumps(stored | {"secret": _check_value(secret, stored["id"])}))


def _check_value(secret: str, installation: str) -> str:
    return hmac.new(secret.encode(), f"dondoc installation {installation}".encode(), hashlib.sha256).hexdigest()[:32]


def _incomplete(vi: str, en: str) -> Unavailable:
    """The installation exists: ``init`` is no remedy, it would make what is to be brought here."""
    return Unavailable(Text(f"Chưa chạy được: {vi}.", f"Not started: {en}."))


def _refused(vi: str, en: str) -> Unavailable:
    return Unavailable(
        Text(
            f"Chưa chạy được: {vi}. Nếu đây là lần đầu, hãy chạy «dondoc init».",
            f"Not started: {en}. If this is the first time, run “dondoc init”.",
        )
    )


log = logging.getLogger(__name__)
MARK_SECONDS = 3.0
"""For each response, where letters wait for it."""
SUBJECT = "Don Doc: da gui den dau, xin de nguyen / how far letters were sent, please leave it here"


def observe_in_mailbox(system: System, timeout: float | None = None) -> bool:
    """Hold the database if it is behind the mark there, else move that on. ``timeout``: seconds for each response. True
    if there was one, and the database is not behind it."""
    inbox = system.inbound.inbox
    if system.delivery.mark is None or inbox is None:
        return False
    inbox = replace(inbox, timeout=timeout or inbox.timeout)
    name = f"<{installation_id(system.database)}.{system.signer.secret('mailbox mark')[:32]}@mark.dondoc>"
    try:
        found = inbox.kept(name)
        path = system.settings.data_dir / NAME  # beside what is kept of changed accounts, which a hold ends
        mark = MarkElsewhere(path, lambda: found, lambda kept: inbox.keep(name, SUBJECT, kept))
        try:
            return not mark.observe(system.database, system.clock()) and found is not None
        except MarkUnusable:
            log.warning("The message in the mailbox does not say how far letters were sent: it begins anew")
            inbox.take_out(name)
    except (BadInput, Unavailable) as error:
        log.warning("The mailbox does not keep how far letters were sent (%s)", error)
    return False
