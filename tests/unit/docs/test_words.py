"""Documents have a budget as code has: what is added is paid for by what is said shorter or taken away."""

from __future__ import annotations

from ground.paths import ROOT

MOST = 38_000
"""Words as ``wc -w`` counts them, of the root and of docs without the decisions."""


def test_documents_keep_to_their_budget_of_words() -> None:
    pages = [*ROOT.glob("*.md"), *(each for each in ROOT.glob("docs/**/*.md") if "decisions" not in each.parts)]
    words = {each.relative_to(ROOT).as_posix(): len(each.read_text().split()) for each in pages}
    total = sum(words.values())
    longest = ", ".join(f"{name} {count:,}" for name, count in sorted(words.items(), key=lambda one: -one[1])[:5])
    assert total <= MOST, f"{total:,} words, {total - MOST:,} above the budget; the longest: {longest}"
