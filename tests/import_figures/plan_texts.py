"""Plans made at random from the forms that real ones have, and whether the importer accounts for every paragraph.

PYTHONPATH=tests python -m import_figures.plan_texts COUNT [FIRST]
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from engine.errors import BadInput
from engine.features.plan_import.importer import Accounted, ImportedPlan, Use, read_document
from engine.features.plan_import.importer.structure.account import UNREAD
from engine.rules.vietnamese import squashed

BODIES = [
    "Sở Y tế",
    "Sở Nội vụ",
    "Công an tỉnh",
    "UBND các xã, phường",
    "Các sở, ban, ngành",
    "Văn phòng UBND tỉnh",
    "Hội Nông dân tỉnh",
    "Sở Văn hóa, Thể thao và Du lịch",
    "Ban Quản lý dự án đầu tư xây dựng",
    "Trung tâm Kiểm soát bệnh tật",
    "Mạng lưới cộng tác viên",
    "Báo và Đài Phát thanh - Truyền hình",
    "Đội Kiểm tra liên ngành",
    "Sở Nông nghiệp và Môi trường",
]
VERBS = [
    "Rà soát, thống kê đối tượng",
    "Chủ trì, phối hợp với Sở Tài chính bố trí kinh phí",
    "Tổ chức hội nghị",
    "Tuyên truyền trên hệ thống loa",
    "Kiểm tra cơ sở",
    "Ban hành kế hoạch",
    "Báo cáo kết quả về UBND tỉnh",
    "Bảo đảm trật tự",
    "Lắp đặt biển báo",
]
TIMES = [
    "",
    " trước ngày 15/6/2026",
    " định kỳ 6 tháng, năm",
    " trong quý III/2026",
    " hoàn thành trước ngày 30 tháng 11 năm 2026",
    " chậm nhất ngày 20 hằng tháng",
    " thường xuyên",
    " trước ngày 15/3/2026, định kỳ hằng quý",
]
AIMS = [
    "Nâng cao nhận thức của người dân",
    "100% xã, phường hoàn thành chỉ tiêu",
    "Các cấp, các ngành xác định rõ trách nhiệm",
    "Các cơ quan báo chí đăng tin định kỳ hằng tháng",
    "Giảm 10% số vụ so với năm 2025",
    "Sở Y tế duy trì kết quả đạt được",
]
TITLES = [
    "TỔ CHỨC THỰC HIỆN",
    "PHÂN CÔNG NHIỆM VỤ",
    "NHIỆM VỤ VÀ GIẢI PHÁP",
    "THỜI GIAN VÀ TRÁCH NHIỆM THỰC HIỆN",
    "NỘI DUNG",
    "CHẾ ĐỘ BÁO CÁO",
    "KINH PHÍ THỰC HIỆN",
    "TIÊU CHÍ THI ĐUA",
    "MỤC TIÊU",
    "YÊU CẦU",
]
CLOSINGS = (
    "UBND tỉnh yêu cầu các sở, ban, ngành triển khai, báo cáo trước ngày 15/12/2026./.",
    "Trên đây là Kế hoạch năm 2026, đề nghị các cơ quan, đơn vị thực hiện./.",
    "Trong quá trình thực hiện, nếu có vướng mắc, các đơn vị phản ánh về Sở Nội vụ.",
    "Trên đây là Kế hoạch năm 2026 của tỉnh./.",
)
HEAD = (
    "ỦY BAN NHÂN DÂN\nTỈNH AN LẠC\n-------\nCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nSố: 12/KH-UBND\n"
    "An Lạc, ngày 15 tháng 01 năm 2026\nKẾ HOẠCH\nCÔNG TÁC NĂM 2026\nUBND tỉnh ban hành Kế hoạch như sau:"
)
FOOT = "Nơi nhận:\n- Như trên;\n- Lưu: VT.\nTM. ỦY BAN NHÂN DÂN\nCHỦ TỊCH\nHọ Tên\nTin khác\nĐăng nhập"
ROMANS = ("I", "II", "III", "IV", "V", "VI", "VII")


def plan_text(seed: int) -> str:
    """One plan; the same for the same seed."""
    r = random.Random(seed)
    lines = [HEAD]
    for roman in ROMANS[: r.randint(1, 6)]:
        lines += section(r, roman)
    lines += r.sample(CLOSINGS, r.randint(0, 2))
    if r.random() < 0.3:
        lines += ["PHỤ LỤC", *table(r)]
    if r.random() < 0.8:
        lines.append(FOOT)
    if r.random() < 0.3:  # wrapped at some width, as copied from a page
        return "\n".join(wrapped(line, r.choice((60, 90))) for line in "\n".join(lines).split("\n"))
    return "\n".join(lines)


def wrapped(line: str, width: int) -> str:
    rows, row = [], ""
    for word in line.split(" "):
        if row and len(row) + len(word) >= width:
            rows.append(row)
            row = ""
        row = f"{row} {word}" if row else word
    return "\n".join([*rows, row])


def section(r: random.Random, roman: str) -> Iterator[str]:
    yield f"{roman}. {r.choice(TITLES)}" + r.choice(("", "", ":", ": " + duty(r)))
    form = r.choice(FORMS)
    for number in range(1, r.randint(1, 5) + 1):
        yield from form(r, number + (r.random() < 0.1))
    if r.random() < 0.2:
        yield r.choice(CLOSINGS)


def duty(r: random.Random) -> str:
    return f"{r.choice(VERBS)} {r.choice(TIMES)}".strip() + r.choice((".", ";", "", "."))


def owned(r: random.Random, number: int) -> Iterator[str]:
    yield f"{number}. {r.choice(('', '', 'Giao ', 'Đề nghị '))}{r.choice(BODIES)}{r.choice(('', ':'))}"
    mark = r.choice(("- ", "+ ", "a) ", "", "* "))
    for _ in range(r.randint(0, 3)):
        yield mark + duty(r)


def colon(r: random.Random, number: int) -> Iterator[str]:
    yield f"{number}. {r.choice(BODIES)}: {duty(r)}"


def inline(r: random.Random, number: int) -> Iterator[str]:
    yield f"{number}. {r.choice(('', 'Giao '))}{r.choice(BODIES)} {r.choice(VERBS).lower()} {r.choice(TIMES)}."


def led(r: random.Random, number: int) -> Iterator[str]:
    yield f"{number}. {r.choice(VERBS)}"
    mark = r.choice(("- ", "+ ", "", "a) "))
    for _ in range(r.randint(0, 3)):
        yield mark + duty(r)
        yield f"{mark}Đơn vị chủ trì: {r.choice(BODIES)}{r.choice(('.', '', ' chủ trì, phối hợp với Sở Tài chính.'))}"
        if r.random() < 0.5:
            yield f"{mark}Đơn vị phối hợp: {'; '.join(r.sample(BODIES, 2))}"
        if r.random() < 0.7:
            yield f"{mark}Thời gian: {r.choice(('Quý II/2026', 'Trước ngày 10/10/2026', 'Thường xuyên'))}"
        if r.random() < 0.3:
            yield f"{mark}Địa điểm: tại các xã"


def aims(r: random.Random, number: int) -> Iterator[str]:
    yield f"{r.choice((f'{number}. ', '- ', ''))}{r.choice(AIMS)}{r.choice(('.', '', ';'))}"


def plain(r: random.Random, number: int) -> Iterator[str]:
    yield f"{r.choice(BODIES)} {r.choice(VERBS).lower()} {r.choice(TIMES)}."


def nested(r: random.Random, number: int) -> Iterator[str]:
    yield f"{number}. {r.choice(('Cấp tỉnh', 'Tổ chức thực hiện', 'Công tác tuyên truyền'))}"
    for n in range(1, r.randint(1, 3) + 1):
        yield f"{r.choice((f'{number}.{n}. ', chr(96 + n) + ') '))}{r.choice(BODIES)}"
        yield from ("- " + duty(r) for _ in range(r.randint(0, 2)))


def table(r: random.Random, number: int = 0) -> Iterator[str]:
    heads = ["TT", "Nội dung", r.choice(("Cơ quan chủ trì", "Đơn vị thực hiện")), "Phối hợp", "Thời hạn"]
    if r.random() < 0.2:
        heads[2] = "Ghi chú"
    rows = [heads]
    for n in range(1, r.randint(1, 4) + 1):
        owner = r.choice((*BODIES, ""))
        rows.append([str(n) if r.random() < 0.9 else "", r.choice(VERBS), owner, r.choice(BODIES), "30/6/2026"])
    if r.random() < 0.5:
        yield from (" | ".join(row) for row in rows)
    else:
        for row in rows:
            for cell in row:
                yield from (cell, "|") if cell else ("|",)


FORMS: Sequence[Callable[[random.Random, int], Iterator[str]]] = (
    owned,
    owned,
    colon,
    inline,
    led,
    led,
    aims,
    plain,
    nested,
    table,
)


def faults(plan: ImportedPlan) -> list[str]:
    """What is wrong with the account of a plan; nothing, if every paragraph has one use and every duty is accounted."""
    found = [f"{each.code}: {each.message}" for each in plan.warnings if each.code == "unbalanced"]
    found += [f"unread: {each.text}" for each in plan.account if each.reason == UNREAD]
    serious = [each for each in plan.left_out if each.serious]
    if len({(str(each.place), each.text[:80]) for each in serious}) > sum(w.code == "left_out" for w in plan.warnings):
        found.append("a line that looks like a duty is left out without a warning")
    keys = Counter(key for each in plan.account for key in each.covers)
    rows = {key for key in keys if key[1]}
    split = {each.covers[-1] for each in plan.account if each.use is Use.HEAD}  # «…./. Nơi nhận:» in one line
    found += [f"twice: {key}" for key, count in keys.items() if count > 1 and key not in rows | split]
    by_citation: dict[str, list[Accounted]] = {}
    for each in plan.account:
        if each.use in (Use.DUTY, Use.OWNER, Use.FACT):
            by_citation.setdefault(each.citation, []).append(each)
    for item in plan.items:
        for duty in item.duties:
            labels = duty.citation.split(".")
            above = (".".join(labels[:n]) for n in range(len(labels), 0, -1))  # a sentence is cited below its paragraph
            used = [each for key in above for each in by_citation.get(key, ())]
            text = squashed(duty.text)
            if not any(squashed(each.text)[-12:] in text or text[:12] in squashed(each.text) for each in used):
                found.append(f"{duty.citation} is in no paragraph that was used for it")
    return found


def check(first: int, count: int) -> tuple[Counter[str], list[str]]:
    """The uses of all paragraphs of so many plans, and every fault with the seed of its text."""
    uses: Counter[str] = Counter()
    wrong = []
    for seed in range(first, first + count):
        try:
            plan = read_document(plan_text(seed).encode(), f"seed-{seed}")
        except BadInput:
            uses["refused"] += 1
            continue
        uses.update(each.use.value for each in plan.account)
        uses["plans"] += 1
        wrong += [f"seed {seed}: {fault}" for fault in faults(plan)]
    return uses, wrong


if __name__ == "__main__":
    started = time.monotonic()
    result, errors = check(int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000, int(sys.argv[1]))
    sys.stdout.write(
        "\n".join([*errors[:40], f"{len(errors)} faults", str(dict(result)), f"{time.monotonic() - started:.0f} s", ""])
    )
