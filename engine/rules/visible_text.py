"""Names are what they look like: no invisible and no direction-changing characters. Pure.

With such a character one name looks like another («Sở Y tế» twice), or is read backwards (U+202E).
"""

from __future__ import annotations

import unicodedata

from engine.errors import BadInput
from engine.text import Text

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
