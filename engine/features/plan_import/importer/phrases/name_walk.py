"""Where the name of a body ends: word by word from its first, through the signs and small words that a name holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.features.plan_import.importer.phrases import lexicon as say
from engine.features.plan_import.importer.phrases.name_words import (
    BARE,
    BESIDE,
    FIELD,
    GROUP,
    HEAD,
    KIND,
    KIND_OF_PLACE,
    LEVEL,
    OPENER,
    PROPER,
    SMALL_HEADS,
    STOP,
    STRONG,
    SUFFIX,
    WHOLE,
    Prose,
    begins_name,
)
from engine.rules.vietnamese import is_capital, matching, phrase, spelled

MAX_NAME_CHARS = 260
_WORD = re.compile(r"[^\W_]{1,60}(?:[&/][^\W_]{1,20}){0,6}\.?|[^\s\w]|_")
_GROUPED = say.compiled(say.GROUPED)
_SPANNING = say.compiled(say.SPANNING)
_COMPOUND = say.compiled(say.COMPOUNDS, whole=False)
_FIELDED = spelled(r"sở|bộ|phòng|ngành")
_COMMITTEE = spelled(r"(?:chủ tịch )?(?:ubnd|ủy ban nhân dân) các")
_NO_LEVEL = spelled(r"(?:doanh nghiệp|hợp tác xã|công ty|tập đoàn|trường|viện|hội|hộ)(?!\w)")
_WEAK = spelled(r"(?:doanh nghiệp|hộ kinh doanh|gia đình|người lao động|cán bộ|ngành)(?!\w)")
_UNIT = spelled(r"(?:văn phòng|vp|phòng|khoa|tổ|đội|trạm|đ/c|đồng chí)(?!\w)")
_AFTER_LEVELS = spelled(
    rf"(?<!\w)(?:huyện|thị xã|thành phố|xã|phường|thị trấn|quận|đặc khu|tỉnh)(?: {KIND}(?<!thuộc)(?<!hội)(?<!ủy))? $"
)
_PART_OF = spelled(r"(?:chi nhánh|phòng giao dịch|phó|trưởng|thư viện)(?!\w)")
_OF_MANY = spelled(r"các (?:khu(?! phố| dân cư)|cụm|công trình|dự án|chợ)(?!\w)")
_TIL_VERB = rf"(?=\s*(?:[.,;:()]|$|và\s)|\s+{say.any_of(say.OPENERS)}(?!\w))"
_MORE = rf"(?!{say.any_of(say.STRONG)}(?!\w))[^\W\d_]+"
_FEW = re.compile(rf"{_MORE}(?:\s+(?!và\s){_MORE}){{0,2}}(?:\s+và(?:\s+{_MORE}){{1,4}})?{_TIL_VERB}")
_HAVING = re.compile(
    phrase(
        r"(?:có|nơi có|nơi đang|phụ trách) "
        r"(?!(?:trách nhiệm|nhiệm vụ|kế hoạch|(?:biện|giải) pháp|phương án|thể|đủ)(?!\w))"
    )
    + r"(?:[^\W\d_]+\s+){0,3}?[^\W\d_]+(?<!\sđược)"
    + _TIL_VERB
)
_FIELD_PART = re.compile(r"[^\W\d_]+(?:\s+[^\W\d_]+){1,2}" + _TIL_VERB)
_OF_FIELDS = spelled(r"(?:tiểu ban|cục|chi cục|vụ|viện|trung tâm|trường)(?!\w)")
_UNIT_OF_FIELDS = spelled(rf"(?:phòng|ban|khoa|{_OF_FIELDS.pattern})(?!\w)")
_PEOPLE = spelled(r"(?:người|dân quân|kiểm lâm|già làng|thanh niên|hội viên|đoàn viên)(?!\w)")
_TWO_WORDS = re.compile(r"(?<= )([^\W\d_]+) ([^\W\d_]+) $")
_SENTENCE = re.compile(r"(?:[^\W\d_]+\s+){3}[^\W\d_]+")
_REACH = re.compile(rf"từ {PROPER.pattern} đến {PROPER.pattern}")  # «các tỉnh từ An Lạc đến Hòa Bình»
_INSIDE = re.compile(rf"{_MORE}(?:\s+{_MORE}){{0,3}}(?=\s+{say.any_of(say.STRONG)}(?!\w))")
_FIRM = spelled(r"(?<!\w)(?:tnhh|mtv|cổ phần|cp|một thành viên|quản lý)$")
_BELOW = spelled(
    r"(?:(?:đoàn|chi bộ|đảng bộ|đảng ủy|đơn vị|cơ sở) trực thuộc|(?:huyện|thị|thành|quận) ủy(?! viên))(?!\w)"
)
_NEEDS_OBJECT = re.compile(r"(?<=\s)quản\s*lý\s$")
_SERVED = re.compile(rf", {say.any_of(say.OPENERS)}(?!\w)[^,]*$")
_SHORTENED = re.compile(r"(?:tp|tx|h|p|q|tt|x|gs|pgs|ts|ths|bs|đ)\.")
_ACTED = re.compile(rf"(?<!\w)(?:{say.any_of(say.OPENERS)}|phòng|thi\s*đua)$")


@dataclass(kw_only=True)
class NameWalk:
    """Goes word by word from the first word of a name to its end. ``closed``: the name is whole, only «tỉnh», a place
    or the like may follow."""

    prose: Prose
    start: int
    end: int
    grouped: bool
    closed: bool = False
    plural: bool = False
    leveled: bool = False

    @classmethod
    def begun(cls, prose: Prose, at: int) -> NameWalk:
        """After the first words of the name: a whole one, a group, or a head with its field."""
        whole, group = WHOLE.match(prose.plain, at), GROUP.match(prose.plain, at)
        head = whole or group or HEAD.match(prose.plain, at)
        end = head.end() if head else at
        field = FIELD.match(prose.plain, end + 1) if head and _FIELDED.fullmatch(head.group()) else None
        closed = whole is not None or field is not None
        end = field.end() if field else end
        return cls(prose=prose, start=at, end=end, grouped=group is not None, closed=closed)

    def run(self) -> int:
        limit = min(len(self.prose.text), self.start + MAX_NAME_CHARS)
        while (at := self._skip(self.end)) < limit and (reached := self._step(at)) is not None:
            self.end = reached
        return self.end

    def _skip(self, at: int) -> int:
        text = self.prose.text
        while at < len(text) and text[at] in " \t":
            at += 1
        return at

    def _step(self, at: int) -> int | None:
        """Where the next piece of the name ends; None if the name ended before it."""
        word = _WORD.match(self.prose.plain, at)
        if word is None:
            return None
        if not word.group()[0].isalnum():
            return self._sign(word.group(), at, word.end())
        return self._and(word.end()) if word.group() == "và" else self._word(at, word)

    def _word(self, at: int, word: re.Match[str]) -> int | None:
        if joined := self._joined(at):
            self.closed = self.closed or self._level(at, joined)
            return joined
        if self._counts_more(word):
            self.grouped, self.closed = True, False
            return word.end()
        if self.closed and not self.prose.text[at].isupper():
            return self._level_of_closed(at)
        if self._is_after_levels(at):
            kind = KIND_OF_PLACE.match(
                self.prose.plain, at
            )  # «UBND các huyện, thành phố trao quà», «… ven biển đắp đập»
            return kind.end() if kind else None
        if self._stops(at) or self._duty(at, word.end()) or self._told(at):
            return None
        return self._abbreviated(word) if word.group().endswith(".") else self._plain_word(at, word.end())

    def _joined(self, at: int) -> int | None:
        """Where words end that are joined to a name as a whole: «nơi có …» to several bodies, «liên quan», «đầu tư xây
        dựng»."""
        plain, text = self.prose.plain, self.prose.text
        found = None
        if self.grouped or self.plural or self.leveled:
            found = _HAVING.match(plain, at) or _REACH.match(text, at)
        found = found or SUFFIX.match(plain, at) or (_COMPOUND.match(plain, at) if text[at].islower() else None)
        return found.end() if found else None

    def _counts_more(self, word: re.Match[str]) -> bool:
        """Whether a word begins a group inside the name («Chủ tịch UBND các xã»)."""
        many = word.group() in ("các", "những") and not self.leveled
        return many and _GROUPED.match(self.prose.plain, self._skip(word.end())) is not None

    def _level_of_closed(self, at: int) -> int | None:
        """Where the level after a whole name ends («Sở Y tế tỉnh»); no other small word follows one."""
        level = LEVEL.match(self.prose.plain, at)
        self.leveled = level is not None
        return level.end() if level else None

    def _is_after_levels(self, at: int) -> bool:
        small = self.grouped and self.prose.text[at].islower()
        return small and _AFTER_LEVELS.search(self.prose.plain, self.start, at) is not None

    def _stops(self, at: int) -> bool:
        """Whether a small word stands there that no name holds."""
        small = self.prose.text[at].islower()
        return small and STOP.match(self.prose.plain, at) is not None and not self._spanned(at)

    def _abbreviated(self, word: re.Match[str]) -> int:
        """Where a word with a stop ends: with it in «TP. Vinh», before it where it ends the sentence."""
        inside = _SHORTENED.fullmatch(word.group()) is not None and word.end() < len(self.prose.plain)
        return word.end() if inside else word.end() - 1

    def _plain_word(self, at: int, end: int) -> int | None:
        if not self.closed:
            self.closed = self._level(at, end)
            return end
        self.closed = self.leveled
        return None if BESIDE.match(self.prose.plain, at) else end

    def _level(self, at: int, end: int) -> bool:
        """Whether what stands there is a level («tỉnh», «xã»), after which a name has only its place."""
        level = None if self.grouped else LEVEL.match(self.prose.plain, at)
        if level is None or level.end() != end or self._spanned(at):
            return False
        self.leveled = True
        return True

    def _second(self, at: int) -> bool:
        """Whether a capital follows the first syllable of a proper name, which has two at least."""
        before = self.prose.text[self.start : at].split()[-2:]
        return len(before) == 2 and before[0].islower() and before[1].istitle() and self.prose.text[at].isupper()

    def _sign(self, sign: str, at: int, end: int) -> int | None:
        following = self._skip(end)
        if sign in "-&/" and self.prose.text[following : following + 1].isalnum():
            if sign == "-" and self._next_body(following):
                return None
            self.closed = False
            return end
        if sign == ",":
            return self._comma(at, end, following)
        return end if sign in "\"'" and not self.closed else None

    def _comma(self, at: int, end: int, following: int) -> int | None:
        """Where a comma inside the name ends, or the part after it; None if the name ended before it."""
        after = self.prose.text[following : following + 1]
        if self.grouped and self._counted(following):
            self.plural = True
            return end if self._counts_alike(at, following) else None
        if self._is_glued(at, end, following):
            return end
        if after.islower() and LEVEL.match(self.prose.plain, following):  # «UBND xã, phường, thị trấn»
            self.plural = True
            return end
        if self.closed:
            return None
        return end if after.isupper() and self._listed(following) else self._rest(at, following)

    def _counts_alike(self, at: int, following: int) -> bool:
        """Whether what a group goes on with is written as the last was: small, or large («các Huyện, Thị xã»)."""
        text = self.prose.text
        last = re.split(r", |[Cc]ác ", text[self.start : at])[-1]
        large = last[:1].isupper() and _GROUPED.fullmatch(matching(last)) is not None
        return text[following].islower() or large or is_capital(text[self.start : following])

    def _is_glued(self, at: int, end: int, following: int) -> bool:
        """Whether a comma stands inside «KH,CN&MT», «Quân khu 3, 4», or in «Các huyện đoàn, Đoàn trực thuộc»."""
        text = self.prose.text
        after = text[following : following + 1]
        if (end == following and is_capital(text[at - 2 : at]) and after.isupper()) or (
            after.isdigit() and text[at - 1].isdigit()
        ):
            return True
        return self.grouped and _BELOW.match(self.prose.plain, following) is not None

    def _counted(self, at: int) -> bool:
        """Whether a group goes on counting («các sở, ban, ngành»), and no body of its own begins («…, trung tâm giáo
        dục nghề nghiệp»)."""
        plain = self.prose.plain
        word = _GROUPED.match(plain, at)
        if word is None or self._verb(at) or (_COMMITTEE.match(plain, self.start) and _NO_LEVEL.match(plain, at)):
            return False  # «UBND các xã, phường, doanh nghiệp»
        if " " not in word.group() or SMALL_HEADS.match(plain, at):
            return True
        return self._counted_whole(at, self._skip(word.end()))

    def _counted_whole(self, at: int, after: int) -> bool:
        """Whether words of a group that may be a body's first are all that is counted. ``after``: where they end."""
        plain = self.prose.plain
        suffix = SUFFIX.match(plain, after)
        if suffix and suffix.group().split()[0] in plain[self.start : at].split():
            return False  # «Các bệnh viện thuộc Bộ, bệnh viện thuộc trường đại học»
        more = self.prose.text[after : after + 1].isalpha() and not plain.startswith("và", after)
        return HEAD.match(plain, at) is None or not more or suffix is not None or self._verb(after)

    def _next_body(self, following: int) -> bool:
        """Whether another body begins after a dash: «Sở Tài chính - Sở Nội vụ», but not «Văn phòng HĐND - UBND», nor a
        unit and what it is part of («Phòng Nghiệp vụ Y - Sở Y tế»)."""
        plain = self.prose.plain
        part = _UNIT.match(plain, self.start) is not None or _PART_OF.match(plain, following) is not None
        return not part and begins_name(self.prose, following)

    def _listed(self, following: int) -> bool:
        """«Trung tâm Văn hóa, Thông tin và Thể thao»: X, Y và Z, none of which begins a name of its own."""
        plain, text = self.prose.plain, self.prose.text
        ahead = re.compile(r"[^,;:.()\n]{2,40}?(?:,[^,;:.()\n]{2,30}?)?\s(?:và|-)\s+").match(plain, following)
        return ahead is not None and not begins_name(self.prose, following) and text[ahead.end() :][:1].isupper()

    def _rest(self, at: int, following: int) -> int | None:
        """Where the part ends with which a name goes on after a comma: whom or what a board serves («Ban Quản lý Khu
        kinh tế, các khu công nghiệp»), or another of its fields."""
        plain = self.prose.plain
        if _SERVED.search(plain, self.start, at):
            found = _WEAK.match(plain, following)  # «Phòng Quản lý, hỗ trợ cá nhân, hộ kinh doanh»
        else:
            found = _OF_MANY.match(plain, following) if plain.startswith("ban quản lý", self.start) else None
        found = found or self._field_after(at, following)
        return found.end() if found else None

    def _field_after(self, at: int, following: int) -> re.Match[str] | None:
        """The field that follows a comma: after a verb, which alone names nothing («Khám, chữa bệnh», «Thi đua, Khen
        thưởng»); after fields in small letters, with few more of them («học sinh, sinh viên»)."""
        plain, text = self.prose.plain, self.prose.text
        others = (HEAD, GROUP, STOP, _PEOPLE, STRONG)
        if self.grouped or any(other.match(plain, following) for other in others):
            return None
        opener = OPENER.match(plain, following)
        small = text[following : following + 1].islower()
        few = _FEW.match(plain, following) if small else None
        if _ACTED.search(plain, self.start, at):
            return few or opener
        if not small:
            return self._large_field(following)
        if few is None or opener or _GROUPED.match(plain, following):
            return None
        return few if self._has_small_fields(at, few.end()) else None

    def _large_field(self, following: int) -> re.Match[str] | None:
        """A field with one capital after a comma, in the name of a body that has several («Tiểu ban An ninh, Y tế»)."""
        several = _OF_FIELDS.match(self.prose.plain, self.start)
        part = _FIELD_PART.match(self.prose.plain, following) if several else None
        return part if part and self.prose.text[following + 1 : part.end()].islower() else None

    def _has_small_fields(self, at: int, end: int) -> bool:
        """Whether the last words of the name before a comma are fields in small letters; one alone where the name is a
        unit's and ends after the part."""
        words = self.prose.text[self.start : at].split()[-2:]
        unit = _UNIT_OF_FIELDS.match(self.prose.plain, self.start) is not None
        alone = unit and not self.prose.plain[end : end + 2].strip().isalpha()
        return words[-1].islower() and (words[0].islower() or alone)

    def _told(self, at: int) -> bool:
        """Whether a sentence goes on at a place: several small words after a proper name of two syllables («Viettel Hà
        Thanh cấp chữ ký số»)."""
        found = _TWO_WORDS.search(self.prose.text, self.start + 1, at)
        words = _SENTENCE.match(self.prose.text, at) if found else None
        if found is None or words is None or not words.group().islower():
            return False
        starts, plain = (found.start(1), found.start(2)), self.prose.plain
        proper = found.group().istitle() and not any(HEAD.match(plain, n) or OPENER.match(plain, n) for n in starts)
        self.closed = self.closed or proper
        return proper

    def _and(self, end: int) -> int | None:
        plain, following = self.prose.plain, self._skip(end)
        if self.grouped and plain.startswith(("địa phương", "đơn vị"), following):  # «các bộ, ngành và địa phương»
            return end
        weak = _WEAK.match(plain, following) is not None
        if begins_name(self.prose, following) and not weak:
            return None
        inside = self._inside(following)
        part = weak and _OF_FIELDS.match(plain, self.start)
        if not (self.prose.text[following : following + 1].isupper() or inside or part):
            return None
        self.closed = False
        return inside or end

    def _inside(self, following: int) -> int | None:
        """Where few words after «và» end that stand before the verb of a duty, and begin no name."""
        plain = self.prose.plain
        begun = self.closed or self.grouped or HEAD.match(plain, following) or GROUP.match(plain, following)
        found = None if begun else _INSIDE.match(plain, following)
        return found.end() if found else None

    def _verb(self, at: int) -> bool:
        """Whether the group word at a place is in truth the beginning of a duty («…, tổ chức hội nghị»)."""
        plain = self.prose.plain
        whole = _COMPOUND.match(plain, at) or _SPANNING.match(plain, at)
        return OPENER.match(plain, at) is not None and whole is None

    def _duty(self, at: int, end: int) -> bool:
        """Whether a duty begins at a place, and not a part of the name that looks like one («Ban Chỉ đạo»)."""
        plain, text = self.prose.plain, self.prose.text
        opener = OPENER.match(plain, at)
        if opener is None or self._second(at) or (" " in opener.group() and text[at : opener.end()].istitle()):
            return False  # «Công an phường Quảng Bá»
        before = plain[max(self.start, at - 60) : at].rstrip()
        if self._spanned(at):
            return False
        if text[at].islower():
            return BARE.fullmatch(before) is None
        firm = _FIRM.search(before)  # «Công ty TNHH MTV Khai thác công trình thủy lợi»
        words = before.split()
        headed = any(HEAD.fullmatch(" ".join(words[-n:])) for n in (1, 2, 3))  # «Văn phòng Ban Chỉ đạo»
        return not (firm or headed or before.endswith((" và", "-", "&", ",")))

    def _spanned(self, at: int) -> bool:
        """«Công nghệ thông tin»: the word at a place ends a compound that begins before it."""
        plain = self.prose.plain
        near = max(self.start, at - 30)
        if any(each.start() <= at < each.end() for each in _SPANNING.finditer(plain, near, at + 30)):
            return True
        if _NEEDS_OBJECT.search(plain, self.start, at):
            return True  # «Đội Quản lý vận hành lưới điện»
        before = plain.rfind(" ", near, at - 1) + 1  # «Trung tâm Trợ giúp pháp lý»: the word before is of the same verb
        opener = OPENER.match(plain, before)
        return opener is not None and opener.end() > at and self.prose.text[before].isupper()
