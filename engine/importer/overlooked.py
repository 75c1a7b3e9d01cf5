"""What may be a duty of its own although it was read as something else: paragraphs left out, headings, names, parts of
a duty, instructions. Whatever a plan gives somebody to do is either a duty or told here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.importer.model import Accounted, Doubt, Instruction, ItemText, Use
from engine.importer.phrases.agency_lists import VERB, doer_in
from engine.importer.phrases.deadlines import LONGEST, is_dated
from engine.importer.phrases.labels import Label, label_of_line
from engine.importer.phrases.marks import body_of, lines_of
from engine.importer.phrases.names import Prose, begins_name, opens_duty
from engine.importer.phrases.owners import addressees, is_of_another, owner_line
from engine.importer.structure.outline import Theme, theme_of
from engine.importer.vietnamese import matching, spelled

_NEXT = re.compile(r"[.;]\s+(?=[^\W\d_])")
_ANNOUNCED = spelled(r"(?<!\w)thông báo (?:để|đến|cho|tới) .{2,80}biết")
_ROLE = spelled("chủ trì|phối hợp|đầu mối|thực hiện|tham gia|theo chức năng")
"""How a line under «Cơ quan thực hiện:» goes on after its body where it says only what the body's part is."""
_SHOWN = 80
_LONGEST_LIST = 240


def overlooked(entries: Iterable[Accounted], items: Iterable[ItemText], said: Iterable[Instruction]) -> Iterator[Doubt]:
    """A doubt for each, in the document's order of its kind."""
    open_: dict[int, bool] = {}
    led: set[str] = set()
    under = False
    for each in entries:
        body = body_of(each.text)
        if each.use is Use.LEFT_OUT and each.serious:
            message = f"Không lấy thành nhiệm vụ: «{_shown(each.text)}» ({each.reason})."
            yield Doubt("left_out", message, str(each.place), each.text[:_SHOWN])
        if each.use in (Use.HEADING, Use.OWNER) and not each.place.row:
            under = each.use is Use.HEADING and theme_of(body) is Theme.OPEN
            led_in = addressees(body) is not None  # «… yêu cầu các phòng, ban:» over what they are to do
            if len(body) > LONGEST or is_dated(body) or (each.use is Use.HEADING and doer_in(body) and not led_in):
                yield _doubt("tiêu đề", each.text, str(each.place))
        elif each.use is Use.FACT and (label := label_of_line(body)) and label[0] is Label.LEAD:
            if each.citation in led:
                yield _doubt(f"một phần của {each.citation}", each.text, str(each.place))
            led.add(each.citation)
            for line in _work_under(body):
                yield _doubt(f"một phần của {each.citation}", line, str(each.place))
        open_[each.place.order] = under
    for told in said:
        single = told.owners and not any(owner.group for owner in told.owners)
        plain = matching(told.text)
        ordered = not told.owners and (plain.startswith(("giao ", "yêu cầu ", "đề nghị ")) or opens_duty(told.text))
        if (single or ordered or open_.get(told.place.order)) and not _ANNOUNCED.search(plain):
            yield _doubt("yêu cầu chung", told.text, str(told.place))
    for item in items:
        own = {owner.name for owner in item.owners}
        for duty in item.duties:
            beside = [each for each in duty.details if is_dated(each) or is_of_another(doer_in(each), own)]
            for part in (*_parts(duty.text, own), *beside):
                yield _doubt(f"một phần của {duty.citation}", part, duty.citation)


def _work_under(label: str) -> Iterator[str]:
    """The lines below a label of who leads that give a body work of its own."""
    for line in lines_of(label)[1:]:
        doer = owner_line(line)
        if doer and not doer.alone and not _ROLE.match(matching(doer.rest)):
            yield line


def _parts(text: str, own: set[str]) -> list[str]:
    """The parts of a duty's words that are another body's, and those after what may be the names of its own."""
    lines = lines_of(text[:LONGEST])
    parts = (part for line in lines for part in (line, *(line[each.end() :] for each in _NEXT.finditer(line))))
    found = [part for part in parts if is_of_another(owner_line(part) if part[:1].isupper() else None, own)]
    found += [line for line in lines[1:] if line not in found and is_of_another(doer_in(line), own)]
    before, colon, rest = lines[0][:_LONGEST_LIST].partition(":")
    named = before.startswith(tuple(own)) or begins_name(Prose.of(before), 0)
    if colon and named and lines[0] not in found and not VERB.search(matching(before)):
        found += [rest.strip()] if rest else lines[1:]
    return found


def _shown(text: str) -> str:
    return text[:_SHOWN] + ("…" if len(text) > _SHOWN else "")


def _doubt(read_as: str, text: str, place: str) -> Doubt:
    return Doubt("overlooked", f"Đọc là {read_as}, có thể là nhiệm vụ riêng: «{_shown(text)}».", place, text[:_SHOWN])
