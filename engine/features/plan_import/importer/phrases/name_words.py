"""The words of names: the patterns of their parts, and where a name or a duty begins."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.features.plan_import.importer.phrases import lexicon as say
from engine.features.plan_import.importer.phrases.labels import known_names
from engine.rules.vietnamese import matching, phrase, spelled

HEAD = say.compiled(say.HEADS)
WHOLE = say.compiled(say.WHOLE_NAMES)
FIELD = say.compiled(say.FIELDS)
GROUP = spelled(
    r"(?:tất cả |toàn thể |thủ trưởng |giám đốc |chủ tịch |trưởng |người đứng đầu |đồng chí |lãnh đạo |chỉ huy )?"
    r"(?:ubnd |ủy ban nhân dân |ủy ban mttq |hội đồng nhân dân |hđnd )?"
    rf"(?:(?:các|những|mỗi)(?!\w) {say.any_of(say.GROUPED)}(?!\w)|(?:bộ|sở)(?=, (?:ban|ngành)))"
)
SUFFIX = re.compile("(?:" + "|".join(map(phrase, say.SUFFIXES)) + r")(?!\w)")
OPENER = say.compiled(say.OPENERS)
STOP = say.compiled(say.STOPS)
STRONG = say.compiled(say.STRONG)
LEVEL = re.compile(
    phrase(r"(?:xã(?! hội)|phường|đặc khu|thị trấn|thành phố|huyện(?! ủy| đoàn)|quận(?! ủy| đoàn)|thị xã|")
    + phrase(r"tỉnh(?! ủy| đoàn)|cấp xã|cấp huyện|cấp tỉnh)(?!\w)")
)
SMALL_HEADS = say.compiled(say.SMALL_HEADS)
BESIDE = spelled(rf"(?:sở|bộ) {say.any_of(say.FIELDS)}(?!\w)")  # «Bộ Tài chính Bộ Y tế», lines of a cell
KIND = (
    r"(?:(?:vùng|ven|miền|phía|loại|bãi|giáp) \w+|biên giới|trọng điểm|đặc biệt khó khăn|còn lại|ngoại thành|nội thành|"
    r"trung du|đồng bằng|khó khăn|điểm|lân cận|đảo|mới|nghèo|khu vực|trung tâm|thuộc|hội|ủy)"
)
KIND_OF_PLACE = spelled(rf"{KIND}(?!\w)")
PROPER = re.compile(r"[A-ZĐÀ-Ỹ][^\W\d_]*(?: [A-ZĐÀ-Ỹ0-9][^\W_]*){0,4}")
BARE = re.compile(r"tổ|đội|hội|tiểu ban|câu lạc bộ|lực lượng")  # no body is called so, without more


@dataclass(frozen=True)
class Prose:
    """A text and its spelling for matching, made once."""

    text: str
    plain: str

    @classmethod
    def of(cls, text: str) -> Prose:
        return cls(text, matching(text))


def opens_duty(text: str, at: int = 0) -> bool:
    """Whether a duty begins at a place of a text («Chủ trì …», «Trên cơ sở …»)."""
    return OPENER.match(matching(text), at) is not None


def begins_name(prose: Prose, at: int, *, small: bool = False) -> bool:
    """Whether a name may begin at a place. ``small`` also lets bodies begin without a capital («các sở, ngành»)."""
    upper = prose.text[at : at + 1].isupper()
    if not (upper or small):
        return False
    if GROUP.match(prose.plain, at):
        return True
    head = HEAD.match(prose.plain, at) or WHOLE.match(prose.plain, at)
    known = _is_known(prose, at)
    if upper or known or head is None:
        return head is not None or known
    long, proper = " " in head.group(), prose.text[head.end() :][:2].istitle()  # «công đoàn cơ sở», «phòng Văn hóa»
    return long or proper or SMALL_HEADS.match(prose.plain, at) is not None


def _is_known(prose: Prose, at: int) -> bool:
    """Whether a known name begins at a place: not a place's alone («Vinh»), since «Vinh danh …» begins so, too."""
    end = known_names().end(prose.plain, at)
    long = end is not None and (prose.plain.count(" ", at, end) > 1 or prose.text[at:end].isupper())
    return long and not OPENER.match(prose.plain, at)
