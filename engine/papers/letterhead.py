"""An office's own form of the dispatch: a .docx with placeholders, filled instead of the built-in form.

The file comes from outside: it is rendered in Jinja's sandbox, and tried with made-up facts before it is kept.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from typing import Any

from docxtpl.template import DocxTemplate
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.errors import BadInput
from engine.papers.dispatch import addressed, subject_line, text_of
from engine.papers.document import BLANK, Paper
from engine.papers.facts import Dispatch, DutyRow, Issuer, PlanFacts, long_moment, shortened
from engine.rules.calendar import day_digits, local_date
from engine.text import Text

MAX_BYTES = 2_000_000
MAX_UNPACKED_BYTES = 20_000_000
PLACEHOLDERS = (
    "{{ parent }} {{ issuer }} {{ PARENT }} {{ ISSUER }} {{ sign }} {{ place }} {{ unit }} {{ year }}",
    "{{ subject }} {{ plan }} {{ as_of }}",
    "{%p for each in paragraphs %} {{ each }} {%p endfor %}; addressees, signer_lines",
    "{%tr for row in overdue %} {{ row.no }} {{ row.agency }} {{ row.citation }} {{ row.text }} {{ row.due }} "
    "{{ row.late }} {{ row.status }} {%tr endfor %}; upcoming",
)
"""What a form may name."""


def fill(form: bytes, facts: Dispatch) -> bytes:
    """The dispatch in the office's form. Raises BadInput for a file that cannot be filled."""
    try:
        with zipfile.ZipFile(io.BytesIO(form)) as archive:
            if sum(each.file_size for each in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise BadInput(Text("Tệp mẫu quá lớn khi giải nén.", "The form is too large once unpacked."))
        template = DocxTemplate(io.BytesIO(form))
        template.render(
            _values(facts), jinja_env=ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
        )
        filled = io.BytesIO()
        template.save(filled)
    except TemplateError as error:
        raise BadInput(
            Text(
                f"Mẫu có chỗ điền không hiểu được: {error}",
                f"The form has a placeholder that is not understood: {error}",
            )
        ) from None
    except (zipfile.BadZipFile, KeyError, ValueError, AttributeError, SyntaxError) as error:
        raise BadInput(
            Text("Tệp mẫu phải là văn bản Word (.docx).", "The form must be a Word document (.docx).")
        ) from error
    return filled.getvalue()


def check(form: bytes) -> None:
    """Try the form with made-up facts. Raises BadInput."""
    if len(form) > MAX_BYTES:
        raise BadInput(Text("Tệp mẫu lớn quá 2 MB.", "The form is larger than 2 MB."))
    fill(form, sample())


def example() -> bytes:
    """A plain form with every placeholder, to begin from."""
    paper = Paper("Mẫu công văn đôn đốc", "", datetime(2021, 1, 1, tzinfo=UTC))
    paper.head(
        "{{ parent }}",
        "{{ issuer }}",
        f"Số: {BLANK}/{{{{ sign }}}}",
        "{{ place }}, ngày   tháng   năm {{ year }}",
        "{{ subject }}",
    )
    paper.addressees(["{{ addressees | join('; ') }}"])
    paper.body("{%p for each in paragraphs %}")
    paper.body("{{ each }}")
    paper.body("{%p endfor %}")
    paper.sign_off(["Như trên"], "{{ unit }}", ["{{ signer_lines | join(' / ') }}"])
    return paper.save()


def sample() -> Dispatch:
    """Made-up facts with every part filled."""
    row = DutyRow(
        "a", "Cơ quan A", "IV.1.1", "Nội dung", date(2021, 6, 17), date(2021, 6, 17), 5, False, "Chưa gửi báo cáo"
    )
    return Dispatch(
        Issuer("UBND tỉnh", "Sở", "S", "Tỉnh", "VP"),
        PlanFacts("1/KH-UBND", date(2021, 1, 4), "UBND tỉnh", "Kế hoạch"),
        "UBND tỉnh",
        [row],
        [row],
        datetime(2021, 6, 24, tzinfo=UTC),
        date(2021, 7, 1),
        date(2021, 7, 8),
        2,
    )


def _values(facts: Dispatch) -> dict[str, Any]:
    def rows(found: Any) -> list[dict[str, Any]]:
        return [
            {
                "no": number,
                "agency": row.agency,
                "citation": row.citation,
                "text": shortened(row.text),
                "due": day_digits(row.due_on) if row.due_on else "",
                "late": "" if facts.request else row.late,
                "status": row.status,
            }
            for number, row in enumerate(found, 1)
        ]

    issuer = facts.issuer
    return {
        "parent": issuer.parent,
        "issuer": issuer.name,
        "PARENT": issuer.parent.upper(),
        "ISSUER": issuer.name.upper(),
        "sign": issuer.sign,
        "place": issuer.place,
        "unit": issuer.unit,
        "year": local_date(facts.as_of).year,
        "subject": subject_line(facts),
        "addressees": addressed(facts),
        "paragraphs": list(text_of(facts)),
        "signer_lines": issuer.signer.split("/"),
        "plan": facts.plan.reference,
        "as_of": long_moment(facts.as_of),
        "level": facts.level,
        "overdue": rows(facts.overdue),
        "upcoming": rows(facts.upcoming),
    }
