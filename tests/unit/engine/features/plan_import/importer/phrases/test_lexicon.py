"""The tables of words: whoever adds one is told what no rule could ever find."""

import re

import pytest

from engine.features.plan_import.importer.phrases import lexicon
from engine.rules.vietnamese import matching, phrase

TABLES = {name: table for name, table in vars(lexicon).items() if isinstance(table, tuple)}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_entry_is_a_pattern_in_the_spelling_for_matching_and_stands_once(table):
    assert sorted(table) == sorted(set(table))
    for entry in table:
        re.compile(phrase(entry))
        words = re.sub(r"\\[A-Z]", "", entry)
        assert matching(words) == words


def test_every_table_of_the_file_has_its_name():
    assert {name.lower() for name in TABLES} == set(lexicon._tables())
