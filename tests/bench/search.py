"""How long the search page's query takes at a province's size, on SQLite and PostgreSQL.

python -m tests.bench.search [--plans 1000] [--duties 60] [--letters 20000]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from sqlalchemy import insert

from engine.features.search.queries import Kind, search
from engine.queries.time_class import read_today
from engine.store.database import Database, table
from engine.store.records import Agency, Duty, LetterBody, Plan
from engine.store.records import PolicyRecord as Policy
from engine.terms import PlanState, Urgency
from tests.bench.province_data import NOW
from tests.ground.postgres import Ground

AIM_MS = 50.0
WORDS = """rà soát tổng hợp báo cáo kết quả thực hiện nhiệm vụ xây dựng kế hoạch hướng dẫn kiểm tra đánh giá
tuyên truyền hỗ trợ hòa nhập cộng đồng mô hình thí điểm địa bàn xã phường thị trấn công an y tế giáo dục lao
động thương binh đường thủy ngân sách chuyển đổi số dịch vụ công trực tuyến cải cách thủ tục hành chính nông
thôn mới giảm nghèo bền vững"""
ASKED = {
    "three words": "thủy ngân nghèo",
    "three words, no marks": "thuy ngan ngheo",
    "the commonest word": "thực hiện",
    "a word begun": "chuyen do",
    "a citation": "IV.2.1",
    "a plan's number": "417/KH-UBND",
    "an agency": "xa 17",
    "nothing": "không có gì hết",
}


def fill(database: Database, plans: int, duties: int, letters: int) -> None:
    chance, words = random.Random(188), WORDS.split()
    agencies = [
        {"id": f"xa-{n}", "level": "xa", "name": f"UBND xã {n}", "short": f"Xã {n}", "names": [], "aliases": []}
        for n in range(1, 151)
    ]

    def text(count: int) -> str:
        return " ".join(chance.choices(words, k=count))

    plan_rows = [
        {
            "id": n,
            "number": f"{n}/KH-UBND",
            "issuer_id": "xa-1",
            "supervisor_id": "xa-2",
            "year": 2026,
            "issued_on": date(2026, 1, 5),
            "title": text(12),
            "short_title": text(5),
            "sms_name": f"KH{n}",
            "policy_id": "p",
            "urgency": Urgency.NORMAL,
            "state": PlanState.ACTIVE,
            "digest": str(n),
            "file": {},
        }
        for n in range(1, plans + 1)
    ]
    empty: dict[str, list[str]] = {name: [] for name in ("cadence", "owners", "coordinating", "waits_for")}
    duty_rows = [
        {
            "plan_id": plan,
            "position": n,
            "citation": f"IV.{n // 4 + 1}.{n % 4 + 1}",
            "heading": text(5),
            "text": text(35),
            "rule": "",
            "request": False,
            "kind": "assignments",
            **empty,
        }
        for plan in range(1, plans + 1)
        for n in range(duties)
    ]
    bodies = [
        {"letter_id": n, "subject": f"[{n % plans}/KH-UBND] 3 nhiệm vụ đến hạn thứ Năm", "text": "", "html": b""}
        for n in range(1, letters + 1)
    ]
    with database.write() as session:
        do = session.connection().execute
        do(insert(table(Agency)), agencies)
        do(insert(table(Policy)), [{"id": "p", "body": {}, "loaded_at": NOW}])
        for model, rows in ((Plan, plan_rows), (Duty, duty_rows), (LetterBody, bodies)):
            began = time.monotonic()
            do(insert(table(model)), rows)
            spent = (time.monotonic() - began) * 1e6 / len(rows)
            print(f"  {len(rows):,} {table(model).name}: {spent:.0f} µs a row", flush=True)


def measure(database: Database, times: int) -> None:
    for name, words in ASKED.items():
        spent, hits = [], 0
        for _ in range(times):
            began = time.perf_counter()
            with database.read() as session:
                today = read_today(session, NOW)
                hits = sum(len(group.hits) for group in search(session, today, words, dict.fromkeys(Kind)))
            spent.append((time.perf_counter() - began) * 1000)
        spent.sort()
        worst = spent[-1]
        over = "  over the aim" if worst > AIM_MS else ""
        print(
            f"  {name:24} p50 {statistics.median(spent):6.1f} ms  max {worst:6.1f} ms  {hits:3} hits{over}", flush=True
        )


def databases(folder: Path) -> Iterator[Database]:
    yield Database(f"sqlite:///{folder}/search.db")
    ground = Ground(folder / "ground", os.getpid())
    ground.folder.mkdir()
    try:
        yield Database(ground.postgres())
    finally:
        ground.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, default=1_000)
    parser.add_argument("--duties", type=int, default=60)
    parser.add_argument("--letters", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dondoc-search-") as made:
        Path(made).chmod(0o755)
        for database in databases(Path(made)):
            database.upgrade()
            print(database.server_version())
            fill(database, options.plans, options.duties, options.letters)
            database.optimize()
            measure(database, options.times)
            database.dispose()


if __name__ == "__main__":
    main()
