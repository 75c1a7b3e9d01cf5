"""``dondoc restore`` and ``dondoc release``: a restored database is behind the world, so no letter leaves by itself.

What the copy believes unsent may have been sent after it was made, and what the passes now catch up on may have been
said already. All of it is held until an operator decides: ``send`` lets everything out (a second copy has the
Message-ID of the first), ``drop`` marks what is due by now as not sent, with the reason, and goes on with what follows.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import inspect, update

from config.settings import Settings
from engine.accounts.accounts import unanswered
from engine.accounts.key_ring import keep_secret, load_keys
from engine.errors import BadInput, Conflict
from engine.store.database import Database, table
from engine.store.event_log import record
from engine.store.facts import Hold, end_hold, held_letters, hold, hold_letters, remember_backup
from engine.store.high_water import changed_since, end_authority
from engine.store.records import STILL_OWED, Letter
from engine.terms import EventKind, LetterState
from engine.text import Text
from workflows.operation import backup
from workflows.operation.secret_rotation import rotate
from workflows.run import clock_guard
from workflows.run.passes import DATABASE_PASSES

RESTORED = "restored"
"""Reason of a letter that was dropped after a restore."""


@dataclass(frozen=True)
class Released:
    """``since``: the hold that ended. ``letters``: how many were dropped, or may leave now."""

    since: Hold
    letters: int


def restore(settings: Settings, folder: Path, now: datetime) -> backup.Manifest:
    """Restore into an empty database and empty folders what the manifest lists; what opened something in the copy opens
    nothing (``engine.accounts.accounts``). Raises BadInput for a spoiled backup, Conflict if anything is
    there already: nothing is overwritten."""
    manifest = backup.Manifest.read(folder)
    if spoiled := manifest.spoiled(folder):
        named = ", ".join(spoiled[:5])
        raise BadInput(Text(f"Bản sao lưu hỏng: {named}.", f"The backup is spoiled: {named}."))
    database = Database(settings.database)
    try:
        _require_same_kind(database, manifest)
        _require_empty(settings, database, folder)
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        dump = folder / backup.DUMPS[manifest.dialect]
        if database.dialect == "sqlite":
            target = Path(str(database.url.database))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(dump, target)
            target.chmod(0o600)
        else:
            command, environment = backup.postgres_command(database, "pg_restore")
            backup.run_postgres([*command, "--exit-on-error", str(dump)], environment)
        database.upgrade()
        with database.write() as session:
            hold_letters(session, Hold(manifest.made_at, now))
            remember_backup(session, manifest.made_at)
            changed = changed_since(settings.data_dir, manifest.made_at)
            end_authority(session, changed.values(), now)
        _restore_files(settings, manifest, folder)
        _take_secret(settings, database, (folder / backup.SECRET).read_text().strip(), rotated=0 in changed, now=now)
    finally:
        database.dispose()
    return manifest


def _restore_files(settings: Settings, manifest: backup.Manifest, folder: Path) -> None:
    targets = {backup.FILES: settings.files, backup.TEMPLATES: settings.templates}
    for name in manifest.files:
        room, _, rest = name.partition("/")
        if room in targets:
            target = targets[room] / rest
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(folder / name, target)
            target.chmod(0o600)


def _take_secret(settings: Settings, database: Database, copied: str, *, rotated: bool, now: datetime) -> None:
    """The copy's secret, unless another one took its place after the copy was made: then another takes it again."""
    given = settings.secret.get_secret_value()
    if not given:
        keep_secret(settings, copied)
    known = load_keys(settings.model_copy(update={"secret": SecretStr(copied)}), database)
    if len(known) == 1 and (rotated or given not in ("", copied)):
        rotate(settings, database, known, now, actor="system", secret="" if given == copied else given)


def held(database: Database, now: datetime) -> Released | None:
    """The hold, and how many letters wait behind it; None if there is none."""
    with database.read() as session:
        since = hold(session)
        return None if since is None else Released(since, held_letters(session, now))


def release(database: Database, now: datetime, *, send: bool, actor: str) -> Released:
    """End the hold, by somebody who was shown both times. Before anything is dropped the passes catch up, so that what
    they say late is dropped too."""
    if held(database, now) is None:
        raise Conflict(Text("Không có thư nào được giữ lại.", "No letters are held."))
    with database.read() as session:
        if unanswered(session):
            raise Conflict(
                Text(
                    "Còn tài khoản chưa có quyết định; chạy «dondoc release» để xem.",
                    "Accounts wait for an answer; run “dondoc release” to see them.",
                )
            )
    for run in () if send else DATABASE_PASSES.values():
        run(database, now)
    m = table(Letter)
    with database.write() as session:
        since = hold(session)
        if since is None:
            raise Conflict(Text("Đã có người quyết định.", "Somebody has decided already."))
        letters = held_letters(session, now)
        if not send:
            session.connection().execute(
                update(m)
                .where(STILL_OWED, m.c.send_after <= now)
                .values(state=LetterState.SUPPRESSED, reason=RESTORED, settled_at=now)
            )
        end_hold(session)
        clock_guard.forget(session)
        made = since.backup_at.isoformat()
        record(session, EventKind.LETTERS_RELEASED, now, actor=actor, count=letters, sent=send, backup=made)
    return Released(since, letters)


def _require_same_kind(database: Database, manifest: backup.Manifest) -> None:
    if database.dialect != manifest.dialect:
        raise BadInput(
            Text(
                f"Bản sao lưu của {manifest.dialect}, còn DONDOC_DATABASE_URL là {database.dialect}.",
                f"The backup is of {manifest.dialect}, but DONDOC_DATABASE_URL is {database.dialect}.",
            )
        )


def _require_empty(settings: Settings, database: Database, folder: Path) -> None:
    there = list(_present(settings, database))
    secret = settings.data_dir / backup.SECRET
    if secret.exists() and secret.read_text().strip() != (folder / backup.SECRET).read_text().strip():
        there.append(str(secret))
    if there:
        named = ", ".join(there)
        raise Conflict(
            Text(
                f"Chỉ khôi phục vào chỗ trống; hãy dời đi trước: {named}.",
                f"Only an empty place is restored into; move these away first: {named}.",
            )
        )


def _present(settings: Settings, database: Database) -> Iterable[str]:
    if database.dialect == "sqlite":
        path = Path(str(database.url.database))
        yield from (str(each) for each in (path, Path(f"{path}-wal")) if each.exists())
    elif inspect(database.bind).get_table_names():
        yield f"PostgreSQL {database.url.database}"
    if settings.files.is_dir() and any(settings.files.iterdir()):
        yield str(settings.files)
