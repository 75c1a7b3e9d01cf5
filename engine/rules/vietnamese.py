"""Vietnamese letters: NFC, one spelling for matching, and whether a word can be a Vietnamese syllable.

Pure. ``matching`` keeps the length of its text, so that what is found in it is cut out of the document's own words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

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


def starts_small(text: str) -> bool:
    """Whether the first letter of a text is small and nothing but quotes or brackets stand before it."""
    first = next((each for each in text if each not in "\"'“”‘’«([ "), "")
    return first.islower()
