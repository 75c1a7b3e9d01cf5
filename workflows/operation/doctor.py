"""``dondoc doctor``: looks at everything an installation needs, a line each with the remedy. Changes nothing, and sends
nothing but, if asked, a few letters to itself (``round_trip``).

What lies on this machine is looked at always; relay, mailbox, SMS gateway and Prefect are connected to only on request,
since a host that does not answer costs seconds; so are the clocks of other machines and the DNS of the sender's domain.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from config.settings import SMS_GATEWAYS, Settings
from engine.accounts.key_ring import load_keys
from engine.admin.first_steps import CheckLine, Mark, address_line, calendar_line, unused, watch_line, well, wrong
from engine.admin.settings_view import entered, removed_lines
from engine.enums import complete
from engine.errors import DondocError, Unavailable
from engine.http.uploads import ScannerAway, require_clean
from engine.queries.system.health import SILENT_AFTER, SetupState, last_self_check, setup_state
from engine.queries.time_class import read_today
from engine.queries.work.letter_links import AFTER_DUE
from engine.rules.calendar import PLAN_TIME, local_date, written
from engine.rules.words import number_words
from engine.store.facts import held_letters, hold, last_backup
from engine.store.machines import machines
from engine.store.rulebook import read_policies
from engine.store.version import version_line
from engine.text import Text
from notifications.contract.channel import Outcome
from notifications.email.smtp import Email
from notifications.letters.renderer import LINK_LIFETIME
from notifications.sms.gammu import Gammu
from notifications.sms.gateway import HttpGateway
from notifications.sms.receipts import DAYS, Usage, usage
from workflows.operation.backup import damage, server_damage
from workflows.operation.elsewhere import clock_elsewhere, sender_domain
from workflows.operation.trial_letter import arrival_line, round_trip, senders
from workflows.run import channel_wiring, clock_guard, prefect_server
from workflows.run.private_files import too_wide

if TYPE_CHECKING:
    from workflows.run.system import System

MIN_SECRET_CHARS = 32
MIN_FREE_BYTES = 1_000_000_000
MAX_WAL_BYTES = 256_000_000
MAX_BACKUP_AGE = timedelta(days=2)
CONNECT_SECONDS = 10.0
NAMED_AGENCIES = 5
NO_RELAY = wrong(
    "smtp",
    Text("thư chỉ nằm trên máy này", "letters stay on this machine"),
    Text(
        "Đặt máy chủ gửi thư ở trang Thiết lập, mục Thư đi (hoặc DONDOC_SMTP_HOST).",
        "Set the relay on the page Settings, Outgoing mail (or DONDOC_SMTP_HOST).",
    ),
)
_FIX_PRODUCTION = Text("Đặt DONDOC_SMS_PRODUCTION=true khi đã thử xong.", "Set DONDOC_SMS_PRODUCTION=true when tried.")
_NEEDS_PRODUCTION = complete(
    SMS_GATEWAYS,
    {"": False, "kannel": False, "gammu": False, "esms": True, "speedsms": True},
)
"""Gateways that send nothing, or only check, until the setting says that it is meant."""
_FIX_MACHINE = Text(
    "Chạy «dondoc doctor» trên máy ấy; máy thôi dùng thì sau một ngày không còn được nêu.",
    "Run “dondoc doctor” on that machine; one that was given up is named for a day.",
)
_FIX_NETWORK = Text("Xem địa chỉ, cổng, tường lửa, tên đăng nhập.", "See address, port, firewall and login.")


def examine(system: System, *, connections: bool, with_round_trip: bool = False) -> tuple[CheckLine, ...]:
    """All lines, in the order in which they are best dealt with."""
    now = system.clock()
    unset = [NO_RELAY] if system.settings.keeps_letters and not connections else []
    lines = [*_machine(system), *unset, *_readable(_database(system, now))]
    if connections:
        lines += [smtp(system), imap(system), sms(system), prefect(system)]
        lines += [clock_elsewhere(system), *sender_domain(system)]
    if with_round_trip:
        lines += round_trip(system)
    elif connections and system.inbound.inbox is not None:
        lines.append(senders(system.settings.imap_authserv_id))
    return tuple(lines)


def _readable(lines: Iterator[CheckLine]) -> Iterator[CheckLine]:
    """Up to a row that holds what it cannot, which ends them with a line of its own."""
    try:
        yield from lines
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one row must not keep the other lines from being shown
        yield wrong(
            "rows",
            Text(f"có dòng không đọc được ({type(error).__name__})", f"a row cannot be read ({type(error).__name__})"),
            Text("«dondoc repair» nêu bảng, số và cột.", "“dondoc repair” names table, id and column."),
        )


# --- this machine ---------------------------------------------------------------------------------------------------


def _machine(system: System) -> Iterator[CheckLine]:
    settings = system.settings
    yield address_line(settings.base_url)
    yield _secret(system)
    open_files = len(list(too_wide(settings)))
    yield (
        wrong(
            "files",
            Text(f"{open_files} tệp dữ liệu người khác đọc được", f"data files that others may read: {open_files}"),
            Text("Khởi động lại «dondoc serve», hoặc chmod.", "Restart “dondoc serve”, or chmod."),
        )
        if open_files
        else well("files", Text("tệp dữ liệu chỉ chủ của chúng đọc được", "data files are their owner's alone"))
    )
    yield disk(settings.data_dir)
    if settings.clamd:
        yield scanner(settings.clamd)


def _secret(system: System) -> CheckLine:
    length = len(system.settings.signing_key())
    if length < MIN_SECRET_CHARS:
        return wrong(
            "secret",
            Text(f"khóa bí mật chỉ {length} ký tự", f"the secret has {length} characters"),
            Text(
                f"Đặt DONDOC_SECRET ít nhất {MIN_SECRET_CHARS} ký tự ngẫu nhiên trước khi gửi thư đầu tiên.",
                f"Set DONDOC_SECRET to at least {MIN_SECRET_CHARS} random characters before the first letter.",
            ),
        )
    if load_keys(system.settings, system.database)[0].secret != system.settings.signing_key():
        return wrong(
            "secret",
            Text("khóa bí mật ở đây là khóa trước", "the secret here is the key before"),
            Text(
                "Đặt khóa mới; «dondoc secret status» cho biết.",
                "Set the new one, which “dondoc secret status” prints.",
            ),
        )
    return well("secret", Text("có khóa bí mật", "there is a secret"))


def scanner(clamd: str) -> CheckLine:
    try:
        require_clean(clamd, b"dondoc")
    except ScannerAway:
        return wrong(
            "clamd",
            Text("máy quét mã độc không trả lời: chưa ai tải được tệp", "clamd does not answer: no file is given out"),
            Text(f"Xem clamd ở {clamd} (DONDOC_CLAMD).", f"Look at clamd at {clamd} (DONDOC_CLAMD)."),
        )
    return well("clamd", Text("máy quét mã độc trả lời", "clamd answers"))


def disk(folder: Path, needed: int = MIN_FREE_BYTES) -> CheckLine:
    free = shutil.disk_usage(folder).free
    what = Text(f"đĩa còn {free / 1e9:.1f} GB", f"{free / 1e9:.1f} GB of disk free")
    if free < needed:
        return wrong("disk", what, Text(f"Dọn đĩa của {folder}.", f"Make room on the disk of {folder}."))
    return well("disk", what)


# --- the database ---------------------------------------------------------------------------------------------------


def _database(system: System, now: datetime) -> Iterator[CheckLine]:
    database = system.database
    try:
        schema, newest = database.schema_versions()
        server = database.server_version()
    except DondocError as error:
        yield wrong("database", error.text, Text("Xem DONDOC_DATABASE_URL.", "See DONDOC_DATABASE_URL."))
        return
    yield well("database", Text.same(server))
    if schema != newest:
        yield wrong(
            "schema",
            Text(f"lược đồ {schema or '—'}, cần {newest}", f"schema {schema or '—'}, needed {newest}"),
            Text("Chạy «dondoc db upgrade».", "Run “dondoc db upgrade”.")
            if schema < newest
            else Text("Nâng cấp chương trình trên máy này.", "Upgrade the program on this machine."),
        )
        return
    yield well("version", Text(version_line("vi"), version_line("en")))
    yield _clock(system, now)
    if database.dialect == "sqlite":
        yield wal(Path(f"{database.url.database}-wal"))
        yield _pages(damage(Path(str(database.url.database))))
    else:
        found = server_damage(database)
        yield not_asked() if found is None else _pages(found)
    with database.read() as session:
        backup, held, checked = last_backup(session), hold(session), last_self_check(session)
        waiting = held_letters(session, now)
        state = setup_state(session, read_today(session, now))
        used = usage(session, now) if system.settings.sms_gateway else None
        proved = arrival_line(session, system.settings)
        opens = max((each.open_days_before for each in read_policies(session).values()), default=0)
        stored = entered(session, system.signer).values
        hosts = machines(session, now)
    if removed := removed_lines(stored):
        yield unused("settings", Text.joined(" ", removed))
    yield settings_pairs(system.settings, opens)
    yield _passes(checked, now)
    for each in hosts:
        said = Text.joined(": ", (Text.same(each.name), each.words))
        yield wrong("machine", said, _FIX_MACHINE) if any(each.finds.values()) else well("machine", said)
    yield _backup(backup, now)
    if held is not None:
        yield wrong(
            "held",
            Text(
                f"cơ sở dữ liệu có thể là bản cũ, không thư nào rời máy ({waiting} thư)",
                f"the database may be an earlier copy, letters held: {waiting}",
            ),
            Text("Chạy «dondoc release» để xem và quyết định.", "Run “dondoc release” to look and decide."),
        )
    if used is not None:
        yield sms_cost(used)
    yield proved
    yield watch_line(system.settings)
    yield from _contents(state, now)


def _pages(found: str) -> CheckLine:
    """Whether the pages of the database are sound; they have all been read."""
    if found:
        return wrong(
            "pages",
            Text(f"cơ sở dữ liệu hỏng: {found}", f"the database is damaged: {found}"),
            Text(
                "Dừng máy, giữ nguyên cơ sở dữ liệu này, khôi phục bản sao lưu tốt gần nhất (dondoc restore); chỉ mục "
                "hỏng thì REINDEX.",
                "Stop, keep this database as it is, restore the last good backup (dondoc restore); for an index "
                "REINDEX.",
            ),
        )
    return well("pages", Text("cơ sở dữ liệu lành", "the database is sound"))


def not_asked() -> CheckLine:
    return unused(
        "pages",
        Text(
            "chỉ mục chưa được kiểm tra: CREATE EXTENSION amcheck; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public",
            "indexes are not checked: CREATE EXTENSION amcheck; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public",
        ),
    )


def settings_pairs(settings: Settings, opens: int) -> CheckLine:
    """Settings that only make sense together: a letter that opens work ``opens`` days before it is due, how long its
    link works, and how long its text is kept."""
    needed = max(LINK_LIFETIME.days, opens)
    if settings.keep_bodies_days < needed:
        return wrong(
            "pairs",
            Text(
                f"nội dung thư xóa sau {settings.keep_bodies_days} ngày, liên kết trong thư còn dùng ({needed} ngày)",
                f"texts of letters go after {settings.keep_bodies_days} days, while their links work ({needed} days)",
            ),
            Text(
                f"Đặt DONDOC_KEEP_BODIES_DAYS ít nhất {needed}.", f"Set DONDOC_KEEP_BODIES_DAYS to {needed} at least."
            ),
        )
    if LINK_LIFETIME.days < opens:
        return well(
            "pairs",
            Text(
                f"liên kết dùng {LINK_LIFETIME.days} ngày, mở việc trước hạn {opens} ngày: liên kết của thư mới nhất "
                f"dùng được đến sau hạn {AFTER_DUE.days} ngày",
                f"links work {LINK_LIFETIME.days} days, work opens {opens} days ahead: the newest letter's link works "
                f"until {AFTER_DUE.days} days after the due date",
            ),
        )
    return well(
        "pairs",
        Text(
            f"liên kết dùng {LINK_LIFETIME.days} ngày, mở việc trước hạn {opens} ngày",
            f"links work {LINK_LIFETIME.days} days, work opens {opens} days ahead",
        ),
    )


def sms_cost(used: Usage) -> CheckLine:
    """What a gateway charges for; the price of a part stands in the office's contract."""
    counted = Text(
        f"{DAYS} ngày qua: {{messages}} tin nhắn, khoảng {{parts}} phần",
        f"the last {DAYS} days: {{messages}} SMS, about {{parts}} parts",
    ).filled(messages=_number(used.messages), parts=_number(used.parts))
    return well("sms_cost", counted)


def _number(value: int) -> Text:
    return Text(number_words(value, "vi"), number_words(value, "en"))


def _clock(system: System, now: datetime) -> CheckLine:
    shown = Text.same(f"{now.astimezone(PLAN_TIME):%H:%M:%S %d/%m/%Y}")
    try:
        clock_guard.require_belief(system)
    except clock_guard.ClockNotBelieved as error:
        return wrong("clock", shown, error.text)
    return well("clock", Text("đồng hồ {at}", "clock {at}").filled(at=shown))


def wal(path: Path) -> CheckLine:
    size = path.stat().st_size if path.exists() else 0
    what = Text("tệp ghi tạm {mb} MB", "write-ahead file {mb} MB").filled(mb=Text.same(f"{size / 1e6:.0f}"))
    if size > MAX_WAL_BYTES:
        fix = Text(
            "Có tiến trình giữ giao dịch đọc rất lâu: khởi động lại dịch vụ.",
            "Some process keeps a reading transaction open: restart the service.",
        )
        return wrong("wal", what, fix)
    return well("wal", what)


def _backup(at: datetime | None, now: datetime) -> CheckLine:
    fix = Text("Đặt lịch «dondoc backup --to THƯ_MỤC» mỗi đêm.", "Schedule “dondoc backup --to FOLDER” each night.")
    if at is None:
        return wrong("backup", Text("chưa sao lưu lần nào", "never backed up"), fix)
    day = local_date(at)
    what = Text(f"sao lưu gần nhất {written(day)}", f"last backup {written(day, 'en')}")
    return well("backup", what) if now - at <= MAX_BACKUP_AGE else wrong("backup", what, fix)


def _passes(at: datetime | None, now: datetime) -> CheckLine:
    """The pages may answer while the process that sends letters has stopped."""
    fix = Text(
        "Với quyền root: «systemctl restart dondoc»; nếu vẫn thế, «journalctl -u dondoc» nói lý do.",
        "As root: “systemctl restart dondoc”; if it stays so, “journalctl -u dondoc” says why.",
    )
    if at is None:
        return wrong("passes", Text("chưa có lần xử lý tự động nào", "no pass has run yet"), fix)
    shown = Text.same(f"{at.astimezone(PLAN_TIME):%H:%M %d/%m/%Y}")
    what = Text("tự kiểm tra gần nhất lúc {at}", "last checked itself at {at}").filled(at=shown)
    return well("passes", what) if now - at <= SILENT_AFTER else wrong("passes", what, fix)


def _contents(state: SetupState, now: datetime) -> Iterator[CheckLine]:
    load = Text("Nạp bảng tính đầu mối: «dondoc load contacts».", "Load the spreadsheet: “dondoc load contacts”.")
    people = Text(f"{state.contacts} đầu mối", f"{state.contacts} contacts")
    if state.example_contacts:
        count = state.example_contacts
        what = Text(f"{count} đầu mối có hộp thư .example", f"contacts with a mailbox under .example: {count}")
        yield wrong("contacts", what, load)
    else:
        yield well("contacts", people) if state.contacts else wrong("contacts", people, load)
    missing = state.without_coordinator
    if missing:
        named = ", ".join(missing[:NAMED_AGENCIES]) + (" …" if len(missing) > NAMED_AGENCIES else "")
        count = len(missing)
        what = Text(f"{count} cơ quan chưa có đầu mối: {named}", f"agencies without a coordinator: {count} ({named})")
        yield wrong("coordinators", what, load)
    elif state.agencies:
        yield well(
            "coordinators",
            Text(f"{state.agencies} cơ quan đều có đầu mối", f"all {state.agencies} agencies have a coordinator"),
        )
    else:
        yield wrong("coordinators", Text("danh bạ còn trống", "the directory is empty"), load)
    yield calendar_line(state, local_date(now))
    yield from _plans(state)
    if state.stuck:
        what = Text(f"{state.stuck} thư chờ gửi quá một giờ", f"letters owed for over an hour: {state.stuck}")
        yield wrong("letters", what, Text("Xem trang Hệ thống.", "See the page Health."))
    else:
        yield well("letters", Text("không thư nào chờ gửi quá lâu", "no letter is stuck"))


def _plans(state: SetupState) -> Iterator[CheckLine]:
    fix = Text("Lập quản trị viên ở trang /setup.", "Create the administrator on the page /setup.")
    people = Text(f"{state.accounts} tài khoản", f"accounts: {state.accounts}")
    yield well("accounts", people) if state.accounts else wrong("accounts", people, fix)
    fix = Text("Đọc văn bản vào ở trang Kế hoạch, rồi lưu.", "Read a document in on the page Plans, and save it.")
    stored = Text(f"{state.plans} kế hoạch", f"plans: {state.plans}")
    yield well("plan", stored) if state.plans else wrong("plan", stored, fix)
    fix = Text("Kích hoạt ở trang của kế hoạch.", "Activate it on the plan's page.")
    active = Text(f"{state.active_plans} kế hoạch đang chạy", f"active plans: {state.active_plans}")
    yield well("activation", active) if state.active_plans else wrong("activation", active, fix)


# --- elsewhere ------------------------------------------------------------------------------------------------------


def smtp(system: System) -> CheckLine:
    channel = channel_wiring.email_channel(system.settings, system.signer)
    if not isinstance(channel, Email):
        return NO_RELAY
    where = f"{system.settings.smtp_host}:{system.settings.smtp_port} ({system.settings.smtp_security})"
    try:
        trouble = asyncio.run(_probe(channel))
    except (DondocError, TimeoutError) as error:
        words = error.text if isinstance(error, DondocError) else Text("không trả lời", "no answer")
        return wrong("smtp", Text.joined(": ", (Text.same(where), words)), _FIX_NETWORK)
    if trouble is not None:
        return wrong("smtp", Text.same(f"{where}: {trouble.reply}"), _FIX_NETWORK)
    return well("smtp", Text(f"{where}: vào được", f"{where}: connection and login work"))


async def _probe(channel: Email) -> Outcome | None:
    async with asyncio.timeout(CONNECT_SECONDS), channel:
        return await channel.probe()


def imap(system: System) -> CheckLine:
    inbox = system.inbound.inbox
    if inbox is None:
        return unused("imap", Text("không lấy thư trả lời", "replies are not fetched"))
    try:
        inbox.probe()
    except DondocError as error:
        return wrong("imap", error.text, _FIX_NETWORK)
    return well("imap", Text(f"{inbox.host}: vào được", f"{inbox.host}: the login works"))


def _zalo(system: System) -> CheckLine:
    settings = system.settings
    try:
        channel_wiring.phone_channel(settings, system.signer, system.database)
    except DondocError as error:
        return wrong("sms", error.text, Text("Xem docs/zalo.md.", "See docs/zalo.md."))
    if not settings.zalo_templates:
        none = Text("Zalo: chưa có mẫu nào, không tin nào đi", "Zalo: no template, so nothing goes by it")
        return wrong("sms", none, Text("Đặt DONDOC_ZALO_TEMPLATES.", "Set DONDOC_ZALO_TEMPLATES."))
    if not settings.sms_production:
        return wrong("sms", Text("Zalo: chưa gửi thật", "Zalo: only its administrators get anything"), _FIX_PRODUCTION)
    return well("sms", Text("chỉ Zalo; thử bằng dondoc send-test", "Zalo alone; try dondoc send-test"))


def sms(system: System) -> CheckLine:
    settings = system.settings
    if settings.zalo_app_id:
        zalo = _zalo(system)
        if not settings.sms_gateway or zalo.mark is not Mark.WELL:
            return zalo
    name = settings.sms_gateway
    if not name:
        return unused("sms", Text("không gửi tin nhắn", "no SMS"))
    try:
        channel = channel_wiring.sms_channel(settings, system.signer)
    except DondocError as error:
        return wrong("sms", error.text, _FIX_NETWORK)
    if isinstance(channel, Gammu):
        folder = settings.sms_gammu_dir or Path()
        if not os.access(folder / "outbox", os.W_OK):
            fix = Text("Xem DONDOC_SMS_GAMMU_DIR và quyền ghi.", "See DONDOC_SMS_GAMMU_DIR and its mode.")
            return wrong("sms", Text(f"không ghi được {folder}/outbox", f"{folder}/outbox cannot be written"), fix)
    if isinstance(channel, HttpGateway):
        try:
            httpx.get(httpx.URL(channel.url).copy_with(raw_path=b"/"), timeout=CONNECT_SECONDS, trust_env=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = type(error).__name__
            return wrong("sms", Text(f"{name} không trả lời: {reason}", f"{name}: no answer ({reason})"), _FIX_NETWORK)
    if _NEEDS_PRODUCTION[name] and not settings.sms_production:
        return wrong("sms", Text(f"{name}: chưa gửi thật", f"{name}: nothing is really sent"), _FIX_PRODUCTION)
    return well("sms", Text(f"{name}: trả lời", f"{name}: answers"))


def _prefect_door(system: System) -> CheckLine:
    """Whom a Prefect that answers lets in."""
    fix = Text(
        "Khởi động lại «dondoc serve»; ở máy chủ Prefect riêng đặt PREFECT_SERVER_API_AUTH_STRING là chuỗi mà «dondoc "
        "prefect key» in ra.",
        "Restart “dondoc serve”; on a Prefect server of your own set PREFECT_SERVER_API_AUTH_STRING to what “dondoc "
        "prefect key” prints.",
    )
    if prefect_server.status_for(system.prefect_api, timeout=CONNECT_SECONDS) == httpx.codes.OK:
        return wrong(
            "prefect",
            Text(
                "Prefect trả lời cả người lạ: ai vào được cổng của nó chạy được mọi lệnh ở máy xử lý",
                "Prefect answers strangers: whoever reaches its port can run any command on a worker",
            ),
            fix,
        )
    known = prefect_server.status_for(system.prefect_api, system.prefect_auth, timeout=CONNECT_SECONDS)
    if known != httpx.codes.OK:
        return wrong("prefect", *_refusal(known, fix))
    shown = system.settings.prefect_key_command
    return well(
        "prefect",
        Text(
            f"Prefect trả lời, người lạ không vào được; «{shown}» in chuỗi đăng nhập vào trang của nó",
            f"Prefect answers, strangers are refused; “{shown}” prints the string that its pages ask for",
        ),
    )


def _refusal(status: int, of_string: Text) -> tuple[Text, Text]:
    """Why a Prefect that lives does not answer a question of this machine, and what is to be done."""
    goes_on = Text("việc vẫn chạy", "the work goes on without it")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return Text(
            "Prefect không nhận chuỗi đăng nhập của máy này", "Prefect refuses this machine's string"
        ), of_string
    address = Text("Xem DONDOC_PREFECT_API_URL.", "See DONDOC_PREFECT_API_URL.")
    machine = Text("Xem nhật ký và tải của máy chủ Prefect.", "See the log and the load of Prefect's server.")
    if status == prefect_server.SILENT:
        what, fix = Text("Prefect trả lời quá chậm", "Prefect answers too slowly"), machine
    elif status >= httpx.codes.INTERNAL_SERVER_ERROR:
        what, fix = Text(f"Prefect báo lỗi {status}", f"Prefect answers with error {status}"), machine
    else:
        what, fix = Text("ở địa chỉ ấy không phải Prefect này", "what answers there is not this Prefect"), address
    return Text.joined("; ", (what, goes_on)), fix


def prefect(system: System) -> CheckLine:
    if not system.settings.prefect:
        return unused("prefect", Text("không dùng Prefect", "Prefect is not used"))
    port = system.settings.prefect_port
    if not system.settings.prefect_api_url and (others := prefect_server.listeners(port) - {os.geteuid()}):
        users = ", ".join(map(str, sorted(others)))
        return wrong(
            "prefect",
            Text(
                f"cổng {port} do người dùng khác của máy này giữ (uid {users}); Prefect không được mở, chuỗi đăng nhập "
                "không được gửi đi; việc vẫn chạy",
                f"port {port} is another user's of this machine (uid {users}); Prefect is not started, and nothing is "
                "shown to whoever listens; the work goes on",
            ),
            Text(
                "Kiểm tra tiến trình ấy (ss -ltnp), hoặc đặt DONDOC_PREFECT=false rồi khởi động lại.",
                "Look at that process (ss -ltnp), or set DONDOC_PREFECT=false and restart.",
            ),
        )
    if system.prefect_answers(CONNECT_SECONDS):
        return _prefect_door(system)
    silent = Text("Prefect không trả lời; việc vẫn chạy", "Prefect does not answer; the work goes on without it")
    if not system.settings.prefect_api_url:
        return unused("prefect", silent)
    return wrong("prefect", silent, Text("Xem DONDOC_PREFECT_API_URL.", "See DONDOC_PREFECT_API_URL."))
