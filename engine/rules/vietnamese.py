"""Vietnamese letters: NFC, one spelling for matching, and whether a word can be a Vietnamese syllable.

Pure. ``matching`` keeps the length of its text, so that what is found in it is cut out of the document's own words.

Names are what they look like: no invisible and no direction-changing characters. Pure.

With such a character one name looks like another («Sở Y tế» twice), or is read backwards (U+202E).

From bytes to Vietnamese text: Unicode, and the old TCVN3 (ABC) and VNI encodings, distinguished by syllables.

Old fonts stored Vietnamese at the code points of Western letters. The table is chosen by how many words become
Vietnamese syllables; if none gives enough, the text is rejected with an explanation.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from engine.errors import BadInput
from engine.text import Text

TONES = "\u0300\u0301\u0303\u0309\u0323"
_CONTROL = (*range(9), 11, 12, *range(14, 32), *range(0x7F, 0xA0))
_INVISIBLE = dict.fromkeys((*_CONTROL, 0x00AD, *range(0x200B, 0x2010), 0x2060, 0xFEFF))
_SPACES = re.compile(r"[^\S\n]+")
_SIGNS = re.compile(r"[\W_]+")
_LOOKALIKE = str.maketrans("–—−‑‒\uf02d“”’‘ðÐ", "------\"\"''đĐ")


# Old tone placement to new, for the open syllables oa, oe, uy: «oà» → «òa».
_OLD_TONES = {
    unicodedata.normalize("NFC", pair + tone): unicodedata.normalize("NFC", pair[0] + tone + pair[1])
    for pair in ("oa", "oe", "uy")
    for tone in TONES
}
_OLD_TONE = re.compile(rf"(?<!q)(?:{'|'.join(_OLD_TONES)})(?!\w)")


def clean(text: str) -> str:
    """NFC, without invisible characters, every run of blanks one space. Line breaks stay."""
    text = unicodedata.normalize("NFC", text).translate(_INVISIBLE)
    return _SPACES.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))


@lru_cache(maxsize=2048)
def matching(text: str) -> str:
    """Lower case, one kind of dash and quote, tones where the new spelling has them; as long as ``text``."""
    text = text.translate(_LOOKALIKE)
    lowered = text.lower()
    if len(lowered) != len(text):  # a few foreign capitals become two letters
        lowered = "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
    return _OLD_TONE.sub(lambda found: _OLD_TONES[found.group()], lowered).replace("quí ", "quý ")


def without_marks(text: str) -> str:
    """Lower case without diacritics, one character for each character, so that positions match those in ``text``."""
    return "".join(map(_letter, text))


@lru_cache(maxsize=2048)
def _letter(char: str) -> str:
    base = unicodedata.normalize("NFD", char)[0].lower()
    return "d" if base == "đ" else base[:1]


def squashed(text: str) -> str:
    """Only the letters and digits of ``matching``: equal for texts that differ in blanks and signs."""
    return _SIGNS.sub("", matching(text))


def phrase(words: str) -> str:
    """A pattern for ``matching`` text that finds the words also when they are glued: «chủ trì» finds «chủtrì».

    A blank in ``words`` is any blanks or none; ``|``, brackets and ``?`` keep their meaning.
    """
    return words.replace(" ", r"\s*")


def spelled(words: str) -> re.Pattern[str]:
    """``phrase``, compiled."""
    return re.compile(phrase(words))


_SYLLABLE = re.compile(
    r"(?:ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdđghklmnpqrstvx])?"
    r"(?P<vowel>[iuo]?[aăâeêioôơuưy][iuoay]?|uyê|uya|iê|yê|uô|ươ|ươi|ươu|iêu|yêu|uôi|oai|oay|oeo|uây|uyu)"
    r"(?P<end>ch|ng|nh|[cmnpt])?"
)
_STOPPED = "\u0301\u0323"  # the tones that a syllable in -c, -ch, -p, -t can have


@lru_cache(maxsize=8192)
def is_syllable(word: str) -> bool:
    """Whether the word has the shape of one Vietnamese syllable, tone included."""
    apart = unicodedata.normalize("NFD", word.lower())
    if sum(apart.count(tone) for tone in TONES) > 1:
        return False
    plain = "".join(each for each in apart if each not in TONES)
    found = _SYLLABLE.fullmatch(unicodedata.normalize("NFC", plain))
    if found is None or (found["end"] in ("c", "ch", "p", "t") and not any(each in apart for each in _STOPPED)):
        return False
    return found["end"] is not None or not found["vowel"].endswith(("ă", "â"))  # no syllable ends in «ă»: «xă»


def is_capital(text: str) -> bool:
    """Whether a text is written in capitals: at least two letters, nearly all of them large."""
    letters = list(filter(str.isalpha, text))
    large = sum(map(str.isupper, letters))
    return len(letters) >= 2 and large >= 0.9 * len(letters)


_WORD = re.compile(r"[^\W_]+")
_PAIR = re.compile(r"(?<!\w)([^\W_]+) (?=([^\W_]+))")


def as_sentence(title: str, texts: Iterable[str]) -> str:
    """A title that is, or begins, in capitals («KẾ HOẠCH Tổ chức …») as a sentence: each word as the document's other
    texts write it beside the same word («Nghệ An»), or mostly write it (UBND); else small. Any other as it is."""
    found = _WORD.findall(title)
    shouted = len([*takewhile(str.isupper, (word for word in found if not word.isdigit()))])
    if shouted < 2:
        return title
    beside: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
    alone: dict[str, Counter[str]] = {}
    for text in (text for text in texts if not is_capital(text)):
        for word in _WORD.findall(text):
            alone.setdefault(word.lower(), Counter())[word] += 1
        for one, other in _PAIR.findall(text):
            beside.setdefault((one.lower(), other.lower()), Counter())[one, other] += 1
    words = [word.lower() for word in found]
    last = len(found) if is_capital(title) else shouted + 1
    written = []
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        seen = Counter[str]()
        for n, pair in enumerate(((word, after), (before, word))):
            for shown, times in beside.get(pair, {}).items():
                seen[shown[n]] += times
        usual = alone.get(word, Counter({word: 1})).most_common(1)[0][0]
        written.append(seen.most_common(1)[0][0] if seen else usual if usual.isupper() else word)
    if written:
        written[0] = written[0][:1].upper() + written[0][1:]
    each = iter([*written[:last], *found[last:]])
    return _WORD.sub(lambda _: next(each), title)


def starts_small(text: str) -> bool:
    """Whether the first letter of a text is small and nothing but quotes or brackets stand before it."""
    first = next((each for each in text if each not in "\"'“”‘’«([ "), "")
    return first.islower()


_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
HIDDEN_CHARACTER = Text(
    "Tên có ký tự ẩn hoặc ký tự đổi chiều chữ; hãy gõ lại bằng tay.",
    "The name holds an invisible or a direction-changing character; type it by hand.",
)


def has_hidden_character(text: str) -> bool:
    return any(unicodedata.category(character) in _HIDDEN_CATEGORIES for character in text)


def require_visible(text: str) -> str:
    """The text. Raises BadInput if it holds a hidden character."""
    if has_hidden_character(text):
        raise BadInput(HIDDEN_CHARACTER)
    return text


# TCVN 5712:1993 VN3, one byte a letter. Capitals with a tone were set in a second font (.VnTimeH), as small letters.
_TCVN3 = str.maketrans(
    "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\u00adõøö÷ùúýûüþ¡¢£¤¥¦§",
    "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂÊÔƠƯĐ",
)

# VNI: a plain vowel followed by a letter that stands for its marks, and a few letters that stand alone.
_VNI_MARKS = {
    letter: shape + tone
    for shape, letters in (("", " øùõûï"), ("\u0302", "âàáãåä"), ("\u0306", "êèéüúë"))
    for letter, tone in zip(letters, ("", *TONES), strict=True)
    if letter != " "
}
_VNI_ALONE = {"ñ": "đ", "ô": "ơ", "ö": "ư", "ì": "ì", "í": "í", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
_VNI = re.compile(rf"([aeouyôö])([{''.join(_VNI_MARKS)}])|[{''.join(_VNI_ALONE)}]", re.IGNORECASE)

_FIRST = re.compile(r"(?m)(?<!\w)ủ(?=y ban)|(?<=^\d\. )[^\W\d_]|(?<=^\d\d\. )[^\W\d_]|(?<=^- )[^\W\d_](?=\w)")


def from_tcvn3(text: str) -> str:
    """TCVN3 text read as Western letters, as Vietnamese. Words typed in capitals are capitals whole; the letters that
    had no capitals get theirs back where an entry begins, and in «Ủy ban»."""
    found = text.translate(_TCVN3)
    if found == text:
        return text
    found = _raised(re.sub(r"\w{2,}", lambda word: _raised(word.group()), found))
    return _FIRST.sub(lambda letter: letter.group().upper(), found)


def _raised(text: str) -> str:
    """In capitals when all its plain letters, two at least, are: the others had no capitals of their own."""
    plain = [each for each in text if each.isascii() and each.isalpha()]
    return text.upper() if len(plain) > 1 and all(each.isupper() for each in plain) else text


def from_vni(text: str) -> str:
    """VNI text read as Western letters, as Vietnamese."""

    def letter(found: re.Match[str]) -> str:
        base = found[1] or found[0]
        plain = _VNI_ALONE.get(base.lower(), base.lower())
        marked = plain + _VNI_MARKS[found[2].lower()] if found[2] else plain
        return unicodedata.normalize("NFC", marked.upper() if base.isupper() else marked)

    return _VNI.sub(letter, text)


def from_misread_utf8(text: str) -> str:
    """UTF-8 that some program read as Western letters («Cá»™ng hÃ²a»), read again as UTF-8."""
    try:
        return b"".join(bytes([ord(each)]) if ord(each) < 256 else each.encode("cp1252") for each in text).decode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        return text


OLD_WAYS: Mapping[str, Callable[[str], str]] = {"TCVN3": from_tcvn3, "VNI": from_vni, "UTF-8": from_misread_utf8}
_WORD = re.compile(r"[^\s\d!-@\[-`{-~“”‘’…–]+")
_SAMPLE = 60_000


def strange_words(text: str) -> list[str]:
    """Words with Vietnamese marks that can be no Vietnamese syllable, the most frequent first; few are allowed."""
    marked = _marked(text)
    counts = Counter(word.lower() for word in marked if word.isalpha() and not (word.isupper() or is_syllable(word)))
    many = counts.total() * 100 > len(marked)
    return [word for word, count in counts.most_common() if count > 1] if many else []


def _marked(text: str) -> list[str]:
    """The words with other than plain letters at the beginning of a text."""
    return [word for word in _WORD.findall(text[:_SAMPLE]) if not word.isascii()]


def _share(text: str) -> float:
    """How many of the words with marks are Vietnamese syllables, between 0 and 1."""
    marked = _marked(text)
    return sum(map(is_syllable, marked)) / len(marked) if marked else 1.0


@dataclass(frozen=True)
class Converted:
    """Text that can be read, and the old way of writing it that was undone ("" when it was Unicode)."""

    text: str
    was: str = ""


def modern(text: str) -> Converted:
    """The text in Unicode, whatever old way it was written in; lines already in Unicode are left alone.

    Raises BadInput when many words are no Vietnamese in any way known.
    """
    text = unicodedata.normalize("NFC", text)
    share, marked = _share(text), len(_marked(text))
    if marked < 4 or share >= 0.9:
        return Converted(text)
    best = max(OLD_WAYS, key=lambda name: _share(OLD_WAYS[name](text)))
    lines = [_best_line(line, OLD_WAYS[best]) for line in text.split("\n")]
    found = unicodedata.normalize("NFC", "\n".join(lines))
    if _share(found) >= max(0.8, share + 0.05):
        return Converted(found, best)
    if marked >= 15 and share < 0.7:
        raise BadInput(
            Text(
                "Chữ trong tệp không đọc được: có lẽ là phông cũ không rõ loại. Hãy chuyển sang Unicode rồi nhập lại.",
                "The letters of the file cannot be read: an old font of an unknown kind. Convert it to Unicode first.",
            )
        )
    return Converted(text)


def _best_line(line: str, convert: Callable[[str], str]) -> str:
    """The line converted, unless it holds letters that the old fonts never had."""
    new = any((ord(each) > 0x2FF and each.isalpha()) or each in "ăđơưĂĐƠƯ" or each in TONES for each in line)
    return line if new and convert is not from_misread_utf8 else convert(line)


_WESTERN = frozenset({"windows-1252", "cp1252", "iso-8859-1", "latin1", "iso-8859-15", "us-ascii"})
_ENTITY = re.compile(rb"&#(?:7[89]\d\d|x1e[a-f0-9]{2}|273|432|417|259|272|431|416|258);", re.IGNORECASE)


def opened(raw: bytes, declared: str = "") -> str:
    """Bytes of a text or web page as letters; old fonts still look as they were stored (see ``modern``).

    ``declared`` is the page's own word for its letters, believed only if it works. Raises BadInput when the bytes
    are no text at all.
    """
    nulls = raw[:4000].count(0)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    if nulls > len(raw[:4000]) // 5:
        return raw.decode("utf-16-be" if raw[:1] == b"\0" else "utf-16-le", errors="replace")
    if nulls:
        raise BadInput(
            Text(
                "Tệp không phải văn bản. Hãy gửi .txt, .html, .docx hoặc .pdf.",
                "The file is not text. Send .txt, .html, .docx or .pdf.",
            )
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = raw.decode("utf-8-sig", errors="replace")
        few = text.count("\ufffd") * 100 < sum(not each.isascii() for each in text)
        return text if few or error.start > 0.9 * len(raw) else _western(raw, declared.lower())


def _western(raw: bytes, declared: str) -> str:
    """Bytes that are no Unicode, as letters of one byte each."""
    if declared in _WESTERN and _ENTITY.search(raw):
        return raw.decode("cp1252", errors="replace")  # Word writes Vietnamese letters as entities in such a page
    windows = unicodedata.normalize("NFC", raw.decode("cp1258", errors="replace"))
    if declared in {"windows-1258", "cp1258"} or _share(windows) >= 0.9:
        return windows
    return raw.decode("latin-1")
