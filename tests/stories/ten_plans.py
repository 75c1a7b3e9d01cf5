"""Ten plans of ten kinds beside plan 188: another cadence, supervisor, degree of urgency or sort of owner each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from ground.factory import item

from engine.files.plan import PlanFile
from engine.terms import Urgency

ISSUED = date(2021, 4, 1)
MONTHLY, EXPRESS, MANY_YEARS = "41/KH-UBND", "47/KH-UBND", "50/KH-UBND"
RULES = {
    "ky": {"source": "local", "due_day": 25},
    "ngay": {"source": "plan", "on": date(2021, 9, 30)},
    "thang": {"source": "plan", "months_after_issue": 6},
}


def ten_plans() -> Iterator[PlanFile]:
    """Those with districts among their owners end before the districts do; the others go on to 2025."""
    yield _plan("41/KH-UBND", "so-noi-vu", item(1, "so-tu-phap", "so-xay-dung", cadence=["month"], rule="ky"))
    yield _plan("42/KH-UBND", "so-tai-chinh", item(1, "huyen-21", cadence=["quarter"], rule="ky"), last_year=2023)
    yield _plan("43/KH-UBND", "so-y-te", item(1, "so-giao-duc-dao-tao", cadence=["half_year"], rule="ky"))
    yield _plan("44/KH-UBND", "so-tu-phap", item(1, "huyen-21", cadence=["nine_month", "year"], rule="ky"))
    yield _plan("45/KH-UBND", "so-cong-thuong", item(1, "so-du-lich", cadence=["year"], rule="ky"))
    yield _plan("46/KH-UBND", "so-noi-vu", item(1, "so-tu-phap", cadence=["once"], rule="ngay"), urgency=Urgency.KHAN)
    yield _plan(
        "47/KH-UBND",
        "cong-an-tinh",
        item(1, "so-y-te", "ban-dan-toc", cadence=["month"], rule="ky"),
        urgency=Urgency.HOA_TOC,
        last_year=None,
    )
    yield _plan("48/KH-UBND", "so-ngoai-vu", item(1, "bql-kkt-dong-nam", cadence=["once"], rule="thang"))
    yield _plan("49/KH-UBND", "so-tai-chinh", item(1, "mttq-tinh", request=True, cadence=["half_year"], rule="ky"))
    yield _plan(
        "50/KH-UBND",
        "ban-dan-toc",
        item(1, "so-thong-tin-truyen-thong", "so-van-hoa-the-thao", cadence=["quarter", "year"], rule="ky"),
        item(2, "so-tai-nguyen-moi-truong", cadence=["half_year"], rule="ky"),
    )


def _plan(number: str, supervisor: str, *items: dict[str, Any], **more: Any) -> PlanFile:
    cadences = {each for entry in items for duty in entry["duties"] for each in duty["cadence"]}
    years = {} if cadences == {"once"} or "huyen-21" in str(items) else {"last_year": 2025}
    body = {
        "schema": "dondoc/plan@1",
        "number": number,
        "issuer": "ubnd-tinh",
        "issued_on": ISSUED,
        "year": 2021,
        "title": f"Kế hoạch số {number}",
        "short_title": f"Kế hoạch {number}",
        "sms_name": f"KH{number.partition('/')[0]}",
        "supervisor": supervisor,
        "directory": "nghe-an",
        "report_rules": {name: {**rule, "to": supervisor} for name, rule in RULES.items()},
        "sections": [{"roman": "IV", "heading": "Tổ chức thực hiện", "kind": "assignments", "items": items}],
    }
    return PlanFile.model_validate({**body, **years, **more})
