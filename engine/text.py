"""A sentence that people read, in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """``vi`` and ``en`` say the same thing. ``str()`` gives both, for logs and terminals: «vi / en»."""

    vi: str
    en: str

    def said(self, language: str) -> str:
        """The sentence in one language: English for "en", Vietnamese for any other."""
        return self.en if language == "en" else self.vi

    def __str__(self) -> str:
        return self.vi if self.vi == self.en else f"{self.vi} / {self.en}"

    def filled(self, **values: object) -> Text:
        """The sentence with its ``{placeholders}`` filled; a Text among the values gives each language its own."""
        vi, en = (
            {key: each.said(language) if isinstance(each, Text) else each for key, each in values.items()}
            for language in ("vi", "en")
        )
        return Text(self.vi.format(**vi), self.en.format(**en))

    @classmethod
    def same(cls, words: str) -> Text:
        """What reads alike in both languages: names, numbers, foreign error messages."""
        return cls(words, words)

    @classmethod
    def joined(cls, separator: str, texts: Iterable[Text]) -> Text:
        """Several sentences as one, language by language."""
        found = tuple(texts)
        return cls(separator.join(each.vi for each in found), separator.join(each.en for each in found))
