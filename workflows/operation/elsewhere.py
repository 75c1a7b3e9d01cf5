"""What ``dondoc doctor`` asks other machines about this one: whether its clock agrees with theirs, and what DNS says of
the domain in whose name it sends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.admin.first_steps import CheckLine, unused, well, wrong
from engine.text import Text
from workflows.operation.dns_texts import AskTexts, TextRecords, ask_texts
from workflows.run.clock_guard import kept_by_time_service, second_clocks

if TYPE_CHECKING:
    from workflows.run.system import System

MAX_CLOCK_OFF = timedelta(minutes=2)
RESERVED = ("example", "test", "invalid", "localhost", "local", "lan", "internal")
"""Domains that the public DNS does not hold (RFC 2606, 6762)."""


def clock_elsewhere(system: System) -> CheckLine:
    """This clock against those of other machines: ``second_clocks``."""
    times = [at for each in second_clocks(system.settings, system.database) if (at := each()) is not None]
    if not times and kept_by_time_service():
        return well("time", Text("dịch vụ đồng bộ giờ giữ đồng hồ", "a time service keeps the clock"))
    if not times:
        return unused(
            "time",
            Text(
                "không có dịch vụ đồng bộ giờ, không máy nào cho biết giờ: lúc khởi động đồng hồ nhanh một đêm "
                "hay một kỳ nghỉ thì không ai thấy",
                "no time service, and no other machine says the time: a clock that starts a night or a weekend ahead "
                "is seen by nobody",
            ),
        )
    off = max((system.clock() - each for each in times), key=abs)
    seconds = round(off.total_seconds())
    what = Text(f"lệch {seconds:+d} giây so với máy khác", f"{seconds:+d} seconds from another machine's clock")
    if abs(off) <= MAX_CLOCK_OFF:
        return well("time", what)
    return wrong(
        "time",
        what,
        Text("Bật đồng bộ giờ: «timedatectl set-ntp true».", "Synchronise the clock: “timedatectl set-ntp true”."),
    )


def sender_domain(system: System, ask: AskTexts = ask_texts) -> Iterator[CheckLine]:
    """SPF, DKIM and DMARC of the domain of ``mail_from``. Which key a relay signs with is not known here: it is asked
    whether the domain has any."""
    settings = system.settings
    domain = settings.mail_from.rpartition("@")[2].lower().rstrip(".")
    if settings.demo or not settings.smtp_host:
        return
    if not domain or domain.rpartition(".")[2] in RESERVED:
        yield unused("dns", Text(f"{domain}: không có trong DNS công cộng", f"{domain} is not in the public DNS"))
        return
    found = ask(domain)
    if found is None:
        yield unused("dns", Text("không hỏi được DNS từ máy này", "DNS cannot be asked from this machine"))
        return
    yield _line(
        "spf",
        f"SPF {domain}",
        _beginning(found, "v=spf1"),
        Text(
            f"Thêm bản ghi TXT «v=spf1 …» cho {domain}, gồm máy chủ gửi thư.",
            f"Add a TXT record “v=spf1 …” to {domain} that names the relay.",
        ),
    )
    keys = ask(f"_domainkey.{domain}")
    yield _line(
        "dkim",
        f"DKIM {domain}",
        "_domainkey" if keys is not None and keys.exists else "",
        Text(
            "Bật ký DKIM ở máy chủ gửi thư và thêm khóa vào DNS.",
            "Let the relay sign with DKIM, and put its key into DNS.",
        ),
    )
    yield _line(
        "dmarc",
        f"DMARC {domain}",
        _dmarc(domain, ask),
        Text(
            f"Thêm bản ghi TXT «v=DMARC1; p=none; rua=…» cho _dmarc.{domain}.",
            f"Add a TXT record “v=DMARC1; p=none; rua=…” to _dmarc.{domain}.",
        ),
    )


def _line(name: str, what: str, found: str, remedy: Text) -> CheckLine:
    if found:
        return well(name, Text.same(f"{what}: {found[:80]}"))
    return wrong(name, Text(f"{what}: chưa có", f"{what}: none"), remedy)


def _dmarc(domain: str, ask: AskTexts) -> str:
    """Of the domain, else of those above it that a person can register (RFC 7489 §6.6.3, without the list of public
    suffixes: at least two labels)."""
    labels = domain.split(".")
    for at in range(len(labels) - 1):
        found = ask("_dmarc." + ".".join(labels[at:]))
        policy = _beginning(found, "v=dmarc1") if found is not None else ""
        if policy:
            return policy
    return ""


def _beginning(found: TextRecords, start: str) -> str:
    return next((each for each in found.texts if each.lower().startswith(start)), "")
