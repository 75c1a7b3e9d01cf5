"""``Text``: a message for users, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LANGUAGES = ("vi", "en")
"""Their codes, as ``Text`` has them; the first is for whoever chose none."""


@dataclass(frozen=True, slots=True)
class Text:
    """The same message in both languages. ``str()`` gives both, for logs and terminals: «vi / en»."""

    vi: str
    en: str

    def said(self, language: str) -> str:
        """The message in one language: English for "en", Vietnamese for any other code."""
        return self.en if language == "en" else self.vi

    def __str__(self) -> str:
        return self.vi if self.vi == self.en else f"{self.vi} / {self.en}"

    def filled(self, **values: object) -> Text:
        """Fill the ``{placeholders}``; a ``Text`` among the values is inserted in the matching language."""
        vi, en = (
            {key: each.said(language) if isinstance(each, Text) else each for key, each in values.items()}
            for language in LANGUAGES
        )
        return Text(self.vi.format(**vi), self.en.format(**en))

    @classmethod
    def same(cls, words: str) -> Text:
        """A text that is the same in both languages: a name, a number, an error message of a library."""
        return cls(words, words)

    @classmethod
    def joined(cls, separator: str, texts: Iterable[Text]) -> Text:
        """Join several texts into one, language by language."""
        parts = tuple(texts)
        return cls(separator.join(each.vi for each in parts), separator.join(each.en for each in parts))
