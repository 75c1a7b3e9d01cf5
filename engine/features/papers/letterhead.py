"""An office's own form of the dispatch: a .docx with placeholders, filled instead of the built-in form.

The file comes from outside: it is rendered in Jinja's sandbox, in a child process with bounded time and memory, and
tried with made-up facts before it is kept.
"""

from __future__ import annotations

import html
import io
import re
import time
import traceback
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from docxtpl.template import DocxTemplate
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.errors import BadInput
from engine.features.papers.dispatch import addressed, subject_line, text_of
from engine.features.papers.document import BLANK, Paper
from engine.features.papers.facts import Dispatch, DutyRow, Issuer, PlanFacts, long_moment, shortened
from engine.limited_process import CallFailed, LimitExceeded, shared_process
from engine.rules.calendar import day_digits, local_date
from engine.text import Text

MAX_BYTES = 2_000_000
MAX_UNPACKED_BYTES = 20_000_000
MAX_FILLED_BYTES = 10_000_000
MEMORY_BYTES = 400_000_000
FILL_SECONDS = 10.0
FILL_ALL_SECONDS = 60.0
"""For the letters of one request, to all agencies of a plan."""
MAX_PLACE_CHARS, MAX_ERROR_CHARS = 120, 200
PLACEHOLDERS = (
    "{{ parent }} {{ issuer }} {{ PARENT }} {{ ISSUER }} {{ sign }} {{ place }} {{ unit }} {{ year }}",
    "{{ subject }} {{ plan }} {{ as_of }}",
    "{%p for each in paragraphs %} {{ each }} {%p endfor %}; addressees, signer_lines",
    "{%tr for row in overdue %} {{ row.no }} {{ row.agency }} {{ row.citation }} {{ row.text }} {{ row.due }} "
    "{{ row.late }} {{ row.status }} {%tr endfor %}; upcoming",
)
"""What a form may name."""


def fill(form: bytes, facts: Dispatch, seconds: float = FILL_SECONDS) -> bytes:
    """The dispatch in the office's form. Raises BadInput for a file that cannot be filled, in so many seconds, with the
    place in it where that is known."""
    try:
        return shared_process("letterhead", MEMORY_BYTES).call(max(seconds, 0.0), render, form, facts)
    except LimitExceeded as error:
        raise BadInput(
            Text(
                "Tệp mẫu điền quá lâu hoặc quá lớn; xem lại các vòng lặp {% for %} trong mẫu.",
                "Filling the form takes too long or too much memory; look at its {% for %} loops.",
            )
        ) from error
    except CallFailed as error:
        raise _unfit(error) from error


def fill_each(form: bytes, letters: Iterable[Dispatch], seconds: float = FILL_ALL_SECONDS) -> Iterator[bytes]:
    """The letters of one form, one after another; ``seconds``: for all of them. Raises BadInput."""
    until = time.monotonic() + seconds
    for facts in letters:
        yield fill(form, facts, min(FILL_SECONDS, until - time.monotonic()))


def render(form: bytes, facts: Dispatch) -> bytes:
    """``fill``, in the child process."""
    if not zipfile.is_zipfile(io.BytesIO(form)):
        raise _unfit("BadZipFile")
    with zipfile.ZipFile(io.BytesIO(form)) as archive:
        if sum(each.file_size for each in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise BadInput(Text("Tệp mẫu quá lớn khi giải nén.", "The form is too large once unpacked."))
    template = _Form(io.BytesIO(form))
    template.render(_values(facts), jinja_env=ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True))
    filled = io.BytesIO()
    template.save(filled)
    if filled.tell() > MAX_FILLED_BYTES:
        raise BadInput(Text("Văn bản điền từ tệp mẫu quá lớn.", "The paper filled from the form is too large."))
    return filled.getvalue()


class _Form(DocxTemplate):
    """Says where in the form an error is: docxtpl puts each paragraph on a line of what Jinja reads."""

    def render_xml_part(self, src_xml: str, part: Any, context: Any, jinja_env: Any = None) -> str:
        try:
            filled: str = super().render_xml_part(src_xml, part, context, jinja_env)  # type: ignore[no-untyped-call]
        except Exception as error:
            lines = re.sub(r"<w:p([ >])", r"\n<w:p\1", src_xml).split("\n")
            place = html.unescape(re.sub(r"<[^>]*>", "", lines[_line(error) - 1])).strip()
            raise _misfilled(error, place, part.partname) from error
        if len(filled) > MAX_UNPACKED_BYTES:
            raise _misfilled("MemoryError", "…", part.partname)
        return filled

    def render_properties(self, context: Any, jinja_env: Any = None) -> None:
        try:
            super().render_properties(context, jinja_env)
        except Exception as error:
            raise _misfilled(error, "…", "/docProps/core.xml") from error


def _line(error: Exception) -> int:
    """The line of a template at which it failed; 1 if nobody knows."""
    line = getattr(error, "lineno", None) or 1
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == "<template>":
            line = number
    return int(line)


def _misfilled(error: Exception | str, place: str, part: str) -> BadInput:
    named = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    facts = {"place": place[:MAX_PLACE_CHARS], "part": part, "error": named[:MAX_ERROR_CHARS]}
    text = Text(
        "Mẫu không điền được ở chỗ «{place}» ({part}): {error}",
        "The form cannot be filled at “{place}” ({part}): {error}",
    )
    return BadInput(text.filled(**{name: Text.same(value) for name, value in facts.items()}))


def _unfit(error: Exception | str) -> BadInput:
    return BadInput(
        Text(
            f"Tệp mẫu phải là văn bản Word (.docx) mở được: {error}",
            f"The form must be a Word document (.docx) that opens: {error}",
        )
    )


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
        agency_id="a",
        agency="Cơ quan A",
        citation="IV.1.1",
        text="Nội dung",
        due_on=date(2021, 6, 17),
        original_due_on=date(2021, 6, 17),
        late=5,
        reported=False,
        status="Chưa gửi báo cáo",
    )
    return Dispatch(
        issuer=Issuer(parent="UBND tỉnh", name="Sở", sign="S", place="Tỉnh", unit="VP"),
        plan=PlanFacts("1/KH-UBND", date(2021, 1, 4), "UBND tỉnh", "Kế hoạch"),
        reports_to="UBND tỉnh",
        overdue=[row],
        upcoming=[row],
        as_of=datetime(2021, 6, 24, tzinfo=UTC),
        answer_by=date(2021, 7, 1),
        horizon=date(2021, 7, 8),
        level=2,
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
