"""The commands of an operator: examine, try, back up, restore."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.assignments import database_app
from engine.cli.context import moment, operator_name
from engine.errors import BadInput, Unavailable
from engine.features.webhooks.command import webhooks_app
from engine.rules.calendar import PLAN_TIME
from engine.rules.words import coded
from engine.text import Text

if TYPE_CHECKING:
    from config.settings import Settings

At = Annotated[str, typer.Option(help="ISO timestamp to use as the current time, for tests.")]


def add_commands(app: typer.Typer) -> None:
    """Add them to the root command."""
    for command in (doctor, send_test, backup, prove, restore, release):
        app.command()(command)
    webhooks_app.command("listen")(listen)
    database_app.command()(upgrade)
    app.add_typer(secret_app, name="secret")
    app.add_typer(audit_app, name="audit")


def upgrade() -> None:
    """Bring the schema to this version, after a copy of what there is. Safe to run at every start."""
    from workflows.operation.upgrade import gone, upgrade
    from workflows.run.system import compose

    system = compose(with_entered=False)
    done = upgrade(system)
    for line in (done, *gone(system)) if done else (Text("Cơ sở dữ liệu đã cập nhật.", "The database is up to date."),):
        typer.echo(line)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
    connections: Annotated[bool, typer.Option(help="Also connect to relay, mailbox, SMS gateway and Prefect.")] = True,
    round_trip: Annotated[
        bool,
        typer.Option("--round-trip", help="Also send itself a reply, a returned and a forged letter; read them back."),
    ] = False,
) -> None:
    """Examine this installation: one line each with the remedy. Exit code 1 if anything is wrong. Changes nothing."""
    from engine.admin.first_steps import Mark
    from workflows.operation.doctor import examine
    from workflows.run.system import compose_existing

    try:
        system = compose_existing()
    except Unavailable:  # the lines say what of the database is wrong
        system = compose_existing(with_entered=False)
    lines = examine(system, connections=connections, with_round_trip=round_trip)
    if as_json:
        found = [
            {
                "name": line.name,
                "mark": line.mark,
                "vi": line.what.vi,
                "en": line.what.en,
                "remedy_vi": line.remedy.vi if line.remedy else "",
                "remedy_en": line.remedy.en if line.remedy else "",
            }
            for line in lines
        ]
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        for line in lines:
            typer.echo(f"{line.sign} {line.name:13} {line.what}")
            if line.remedy is not None:
                typer.echo(f"  → {line.remedy}")
    if any(line.mark is Mark.WRONG for line in lines):
        raise typer.Exit(1)


def send_test(
    to: Annotated[str, typer.Option(help="A mailbox, or a telephone number for an SMS.")],
    language: Annotated[str, typer.Option(help="vi or en.")] = "vi",
) -> None:
    """Send a test letter or SMS at once; say what the relay or gateway answered. Exit code 1 if it did not take it."""
    from workflows.operation.trial_letter import send_test as send
    from workflows.run.system import compose_existing

    accepted, answer = send(compose_existing(), to, language)
    typer.echo(str(answer))
    if not accepted:
        raise typer.Exit(1)


def backup(
    to: Annotated[Path | None, typer.Option(help="Folder of backups; default: backups in the data folder.")] = None,
) -> None:
    """Copy database, evidence files, templates and secret into a new folder with a manifest. Safe while it runs."""
    from workflows.operation.backup import backup as make
    from workflows.run.system import compose_installed

    system = compose_installed()
    folder = make(system, to or system.settings.data_dir / "backups")
    typer.echo(
        Text(
            f"Đã sao lưu vào {folder}; thư mục có khóa bí mật, giữ kín.", f"Backed up to {folder}; it holds the secret."
        )
    )


def prove(folder: Annotated[Path, typer.Argument(help="The folder that `dondoc backup` made.")]) -> None:
    """Restore a backup into a place of its own and compare its rows and evidence with its manifest."""
    from config.settings import read_settings
    from engine.store.database import Database
    from workflows.operation.backup import prove as restore_and_compare

    proof = restore_and_compare(folder, Database(read_settings().database))  # the server's, if there is one, is used
    if not proof.good:
        wrong = ", ".join((proof.log, *proof.differing, *(each[:12] for each in proof.lost))[:5]).strip(", ")
        raise Unavailable(
            Text(f"Bản sao lưu không khôi phục được trọn vẹn: {wrong}", f"The backup does not come back whole: {wrong}")
        )
    typer.echo(
        Text(
            f"Bản sao lưu khôi phục được: {proof.rows} dòng, {proof.files} tệp minh chứng đúng như khi sao lưu.",
            f"The backup comes back whole: {proof.rows} rows, {proof.files} files of evidence as they were.",
        )
    )


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder that `dondoc backup` made.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    at: At = "",
) -> None:
    """Restore a backup into an empty place. What happened after it is lost; letters are held until «release»."""
    from config.settings import read_settings
    from engine.store.clock import system_clock
    from workflows.operation.backup import Manifest
    from workflows.operation.restore import restore as put_back

    made = Manifest.read(folder).made_at.astimezone(PLAN_TIME)
    typer.echo(
        Text(
            f"Bản sao lúc {made:%H:%M %d/%m/%Y}. Việc sau đó (xác nhận, báo cáo, thư đã gửi) sẽ mất.",
            "What happened after that moment (acknowledgements, reports, letters sent) will be lost.",
        )
    )
    if not yes and not typer.confirm("Khôi phục? / Restore?"):
        raise typer.Exit(1)
    put_back(read_settings(), folder, moment(at) if at else system_clock())
    typer.echo(
        Text(
            "Đã khôi phục. Chưa thư nào rời máy cho đến khi chạy «dondoc release». Mọi người đăng nhập lại; khóa truy "
            "cập và địa chỉ lịch phải tạo lại.",
            "Restored. No letter leaves until you run “dondoc release”. Everybody signs in again; keys and addresses "
            "of calendars are made anew.",
        )
    )


def release(
    send: Annotated[bool, typer.Option("--send", help="Let everything out; some may come twice.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Mark what is due by now as not sent, and go on.")] = False,
    closed: Annotated[list[int] | None, typer.Option(help="Leave this account closed; again for another.")] = None,
    opened: Annotated[list[int] | None, typer.Option(help="Open this account again; again for another.")] = None,
    at: At = "",
) -> None:
    """Where the database is an earlier copy: what is held, and what to do with it. Without an option nothing is
    decided."""
    from engine.accounts.accounts import answer, unanswered
    from workflows.operation import restore as restoring
    from workflows.run.system import compose_existing

    if send and drop:
        raise BadInput(Text("Chọn một: --send hoặc --drop.", "Choose one: --send or --drop."))
    system = compose_existing()
    now = moment(at) if at else system.clock()
    found = restoring.held(system.database, now)
    if found is None:
        typer.echo(Text("Không có thư nào được giữ lại.", "No letters are held."))
        return
    made, here = found.since.backup_at.astimezone(PLAN_TIME), now.astimezone(PLAN_TIME)
    typer.echo(
        Text(
            f"Cơ sở dữ liệu có dữ liệu đến {made:%H:%M %d/%m/%Y}, đồng hồ máy này {here:%H:%M %d/%m/%Y}; "
            f"{found.letters} thư được giữ. Từ lúc ấy thư nào đã gửi thì không rõ.",
            f"Letters held: {found.letters}. The database knows until {made:%H:%M %d/%m/%Y}; which of them were sent "
            "since is not known.",
        )
    )
    with system.database.write() as session:
        for account, opens in [*((each, False) for each in closed or ()), *((each, True) for each in opened or ())]:
            answer(session, account, opens=opens, actor=operator_name(), now=now)
        left = unanswered(session)
    for each in left:
        when = f"{each.at.astimezone(PLAN_TIME):%H:%M %d/%m/%Y}"
        typer.echo(
            Text(
                f"Tài khoản số {each.account}, {each.email}: {coded(each.what, 'vi')} lúc {when}; đang khóa. "
                f"Khóa tiếp: --closed {each.account}; mở lại: --opened {each.account}.",
                f"Account {each.account}: {coded(each.what, 'en')} after the backup; it is closed.",
            )
        )
    if send or drop:
        done = restoring.release(system.database, now, send=send, actor=operator_name())
        typer.echo(
            Text(f"{done.letters} thư sẽ gửi.", f"{done.letters} letters may leave.")
            if send
            else Text(f"{done.letters} thư không gửi; việc sau đó chạy tiếp.", f"{done.letters} letters are not sent.")
        )


audit_app = typer.Typer(no_args_is_help=True, help="Đối chiếu. / Comparing what was kept.")


@audit_app.command("log")
def log(
    head: Annotated[str, typer.Option(help="As a weekly letter or a backup's manifest has it: «1234 9f86d081…».")] = "",
    accept: Annotated[int, typer.Option(help="Event that may differ from here on, as was found out.")] = 0,
) -> None:
    """Whether the log is as it was written: the first event that is not. Exit code 1 if there is one."""
    from engine.store import event_log
    from engine.store.event_log import record
    from engine.terms import EventKind
    from workflows.run.system import compose_existing

    system = compose_existing()
    if accept:
        with system.database.write() as session:
            event_log.accept(session, accept)
            said = f"dondoc audit log --accept {accept}"
            record(session, EventKind.SETTINGS_CHANGED, system.clock(), actor=operator_name(), changes=said)
    with system.database.read() as session:
        connection = session.connection()
        found = event_log.verify(connection)
        event = found.event or event_log.loose(connection)
        stands = not head or event_log.Head.read(head).stands(connection)
    if event:
        typer.echo(
            Text(
                f"Bảng event, dòng {event}: không như khi ghi, hoặc dòng trước đó bị xóa. So với bản sao lưu; nếu đã "
                f"rõ vì sao: dondoc audit log --accept {event}.",
                f"Table event, row {event} is not as it was written, or one before it was removed. Compare it with a "
                f"backup; where the cause is known: dondoc audit log --accept {event}.",
            )
        )
    elif not stands:
        typer.echo(Text("Nhật ký đã bị lập lại sau mốc này.", "The log was made again since this head was kept."))
    else:
        typer.echo(Text(f"Nhật ký liền mạch đến {found.head}.", f"The log is whole: {found.head}."))
    if event or not stands:
        raise typer.Exit(1)


@audit_app.command("rows")
def differing_rows(
    accept: Annotated[bool, typer.Option("--accept", help="They may stay as they are, as was found out.")] = False,
) -> None:
    """Rows that changed and no event says why, by table and number. Exit code 1 if there are any."""
    from engine.store.event_log import record
    from engine.terms import EventKind
    from workflows.checks.record_checks import look
    from workflows.run.system import compose_existing

    system = compose_existing()
    now = system.clock()
    found = look(system.database, now)
    for each in found:
        typer.echo(
            Text(
                f"{each}: khác lần trước mà nhật ký không có; lấy lại từ bản sao lưu hoặc sửa trên trang của nó.",
                f"{each}: changed by no act; bring it back from a backup, or correct it on its page.",
            )
        )
    if accept and found:
        look(system.database, now, accept=True)
        with system.database.write() as session:
            said = f"dondoc audit rows --accept: {', '.join(found)}"[:500]
            record(session, EventKind.SETTINGS_CHANGED, now, actor=operator_name(), changes=said)
    elif found:
        raise typer.Exit(1)
    else:
        typer.echo(Text("Không có dòng nào khác.", "No row differs."))


secret_app = typer.Typer(no_args_is_help=True, help="Khóa bí mật. / The secret that signs and seals.")


@secret_app.command()
def status() -> None:
    """Which key signs and seals, and what still depends on the one before."""
    from engine.accounts.key_ring import load_keys
    from workflows.operation import secret_rotation
    from workflows.run.system import compose_installed

    system = compose_installed()
    settings, keys = system.settings, load_keys(system.settings, system.database)
    found = secret_rotation.standing(system.database, keys, system.clock())
    _tell_new_secret(settings, keys[0].secret)
    if found.since is None:
        typer.echo(Text(f"Khóa số {found.number}; không còn khóa nào khác.", f"Key {found.number} alone is in use."))
        return
    began = f"{found.since.astimezone(PLAN_TIME):%H:%M %d/%m/%Y}"
    typer.echo(
        Text(
            f"Khóa số {found.number} từ {began}. Còn dựa vào khóa trước: {found.letters} thư có liên kết còn hiệu lực, "
            f"{found.sealed} giá trị mã hóa.",
            f"Key {found.number} signs. On the key before depend: letters with a valid link: {found.letters}, "
            f"sealed values: {found.sealed}.",
        )
    )
    if found.called_at is not None:
        at = f"{found.called_at.astimezone(PLAN_TIME):%H:%M %d/%m/%Y}"
        typer.echo(
            Text(
                f"Cổng tin nhắn còn gọi địa chỉ cũ lúc {at}; nhập lại địa chỉ: dondoc callbacks.",
                f"A gateway called the old address at {at}; enter the new one: dondoc callbacks.",
            )
        )
    if found.free:
        typer.echo(Text("Bỏ khóa trước được: dondoc secret retire.", "It may go: dondoc secret retire."))


@secret_app.command()
def rotate(at: At = "") -> None:
    """Let a new secret sign. Links of letters that were sent work on until the old one is retired."""
    from engine.accounts.key_ring import load_keys
    from workflows.operation import secret_rotation
    from workflows.run.system import compose_installed

    system = compose_installed()
    settings, keys = system.settings, load_keys(system.settings, system.database)
    now = moment(at) if at else system.clock()
    new = secret_rotation.rotate(settings, system.database, keys, now, actor=operator_name())
    typer.echo(
        Text(
            f"Khóa số {new.number} ký từ bây giờ. Sao lưu lại: dondoc backup. Địa chỉ cho cổng tin nhắn đổi theo: "
            "dondoc callbacks. Máy chủ Prefect dùng chung cần chuỗi mới: dondoc prefect key.",
            f"Key {new.number} signs from now on. Make a backup; gateways need new addresses (dondoc callbacks), a "
            "shared Prefect server its new string (dondoc prefect key).",
        )
    )
    _tell_new_secret(settings, new.secret)


@secret_app.command()
def retire(
    at_once: Annotated[bool, typer.Option("--at-once", help="Whatever depends on it: it was stolen.")] = False,
    at: At = "",
) -> None:
    """End the key before. Refused while something depends on it."""
    from workflows.operation import secret_rotation
    from workflows.run.system import compose_installed

    system = compose_installed()
    now = moment(at) if at else system.clock()
    left = secret_rotation.retire(system.settings, system.database, now, actor=operator_name(), at_once=at_once)
    typer.echo(
        Text(
            f"Chỉ khóa số {left.number} còn hiệu lực; liên kết trong {left.letters} thư đã hết hiệu lực.",
            f"Key {left.number} alone is valid; letters whose links have ended: {left.letters}.",
        )
    )


def _tell_new_secret(settings: Settings, secret: str) -> None:
    if settings.secret.get_secret_value() not in ("", secret):
        typer.echo(
            Text(f"Trên mọi máy, đặt DONDOC_SECRET={secret}", "On all machines, set DONDOC_SECRET to the value above.")
        )


def listen(
    secret: Annotated[str, typer.Option(help="Of the webhook, as «add» printed it.", prompt=True, hide_input=True)],
    port: Annotated[int, typer.Option(help="Port of this machine to listen on.")] = 8190,
    once: Annotated[bool, typer.Option("--once", help="End after the first message.")] = False,
) -> None:
    """Receive webhooks on this machine, check their signatures and print them: a receiver to try with."""
    from workflows.operation.webhook_listen import listen as listen_now

    listen_now(secret, port, once=once)
