"""Whatever stands in a file, the answer is a model or a list of problems by line: never a traceback."""

import unicodedata
from datetime import date
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field

from engine.errors import FileRefused, Problem
from engine.files.base_model import Day, FileModel, Flag, Mistake, Slug, Whole
from engine.files.yaml_reader import dump, read
from engine.text import Text


class Part(FileModel):
    id: Slug
    kind: Literal["lead", "other"] = "other"
    starts: Day | None = Field(default=None, alias="from")


class Paper(FileModel):
    name: str
    count: Whole = Field(default=1, ge=1, le=31)
    roll: Flag = True
    parts: tuple[Part, ...] = ()
    rules: dict[str, Part] = Field(default_factory=dict)

    def mistakes(self):
        for n, part in enumerate(self.parts):
            if [each.id for each in self.parts].index(part.id) < n:
                yield Mistake(("parts", n, "id"), Text("đã dùng", "taken"), Text("đổi", "change"))


def problems(source: str | Path) -> tuple[Problem, ...]:
    with pytest.raises(FileRefused) as refused:
        read(source, Paper, "tệp.yaml")
    return refused.value.problems


def places(source: str) -> list[tuple[int, str]]:
    return [(each.line, each.field) for each in problems(source)]


def test_a_good_file_becomes_a_frozen_model():
    text = 'name: Kế hoạch\nparts:\n  - {id: a, kind: lead, from: 2021-04-07}\n  - {id: b, from: "2021-04-08"}\n'
    found = read(text, Paper)
    assert [part.starts for part in found.parts] == [date(2021, 4, 7), date(2021, 4, 8)]
    with pytest.raises(ValueError, match="frozen"):
        found.name = "khác"  # type: ignore[misc]


def test_words_that_old_yaml_misreads_stay_words():
    assert read("name: on", Paper).name == "on"
    assert read("name: no", Paper).name == "no"
    assert read("name: 07", Paper).name == "07"
    assert read("name: 12:30", Paper).name == "12:30"


def test_text_is_normalised_so_that_a_name_is_one_name_on_every_keyboard():
    assert read(unicodedata.normalize("NFD", "name: Hòa Quỳ"), Paper).name == "Hòa Quỳ"


def test_all_mistakes_of_a_file_are_told_at_once_by_line():
    text = "name: 188\ncount: 45\nroll: yes\nparts:\n  - {id: Sở, kind: leed}\n  - {id: a, from: 2021-02-30}\nfoo: 1\n"
    assert places(text) == [
        (1, "name"),
        (2, "count"),
        (3, "roll"),
        (5, "parts[0].id"),
        (5, "parts[0].kind"),
        (6, "parts[1].from"),
        (7, "foo"),
    ]


def test_a_misspelt_key_is_answered_with_the_right_one_and_not_called_missing_too():
    (problem,) = problems("nmae: x\n")
    assert (problem.line, problem.field) == (1, "nmae")
    assert "name" in str(problem.fix)


def test_a_misspelt_key_deep_in_a_list_or_a_mapping_is_answered_too():
    found = problems("name: x\nparts:\n  - {id: a, knid: lead}\nrules:\n  r: {id: a, form: 2021-01-01}\n")
    assert ["kind" in str(found[0].fix), "from" in str(found[1].fix)] == [True, True]


def test_rules_over_several_values_are_asked_even_when_a_key_is_misspelt():
    assert places("nmae: x\nparts:\n  - id: a\n  - id: a\n") == [(1, "nmae"), (4, "parts[1].id")]


def test_rules_from_outside_are_told_with_their_lines():
    with pytest.raises(FileRefused) as refused:
        read(
            "name: x\nparts:\n  - id: a\n",
            Paper,
            "t",
            also=lambda _: [Mistake(("parts", 0, "id"), Text.same("lạ"), Text.same("sửa"))],
        )
    assert [(each.file, each.line) for each in refused.value.problems] == [("t", 3)]


def test_a_key_that_stands_twice_is_refused_where_it_stands_again():
    (problem,) = problems("name: a\ncount: 2\nname: b\n")
    assert (problem.line, problem.field) == (3, "name")
    assert "1" in str(problem.what)


def test_a_missing_key_is_told_at_the_block_that_lacks_it():
    assert places("name: x\nparts:\n  - kind: lead\n") == [(3, "parts[0].id")]


def test_an_empty_value_says_that_it_is_empty():
    (problem,) = problems("name:\n")
    assert "để trống" in str(problem.what)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: x\n\tcount: 1\n", 2),
        ("name: x: y\n", 1),
        ("name: [x\n", 2),
        ("name: x\nparts: *nobody\n", 2),
        ("name: \x07\n", 1),
        ("name: a\n---\nname: b\n", 2),
        ("- name\n", 1),
        ("just words\n", 1),
        ("? [a, b]\n: 1\n", 1),
        ("name: !!python/object/apply:os.system [ls]\n", 1),
        ("name: !secret x\n", 1),
        ("%YAML 9.9\n---\nname: a\n", 1),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(text, line):
    assert line in [each.line for each in problems(text)]


def test_a_tab_is_called_a_tab():
    assert "tab" in str(problems("name: x\n\tcount: 1\n")[0].what)


def test_a_bomb_of_aliases_is_refused_before_it_goes_off():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "quá nhiều" in str(problems("\n".join(lines))[0].what)


@pytest.mark.parametrize("text", ["a: &a [*a]", "[" * 100_000, "- " * 100_000, "{a: " * 100_000, "\ud800"])
def test_endless_and_bottomless_files_are_refused(text):
    assert problems(text)


def test_harmless_aliases_are_read():
    assert read("name: x\nparts: &p [{id: a}]\nrules: {r: &r {id: b}, s: *r}\n", Paper).rules["s"].id == "b"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "trống"),
        (b"# nothing here\n", "trống"),
        ("name: Sở".encode("utf-16"), "UTF-8"),
        (b"name: x\ncount: S\xfd\n", "UTF-8"),
        (b"name: x\n" + b"#" * 5_000_000, "5 MB"),
    ],
)
def test_files_that_hold_no_text_are_refused(tmp_path, content, words):
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match=words):
        read(path, Paper)


def test_a_wrong_byte_is_found_on_its_line(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"name: x\ncount: S\xfd\n")
    assert problems(path)[0].line == 2


def test_what_is_not_a_file_is_refused_by_its_name(tmp_path):
    for path in (tmp_path, tmp_path / "none.yaml", Path("bad\0name")):
        with pytest.raises(FileRefused, match="không đọc được"):
            read(path, Paper)


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: x\r\n")
    assert read(path, Paper).name == "x"


def told(source: str | Path) -> tuple[Problem, ...]:
    try:
        read(source, Paper)
    except FileRefused as refused:
        return refused.problems
    return ()


@given(st.text(max_size=80))
@example("name: {")
@example("name: |\n x\n\u2028y")
def test_any_text_gives_a_model_or_problems_that_say_how_to_mend_them(text):
    assert all(each.line >= 0 and each.what and each.fix for each in told(text))


@given(st.binary(max_size=60))
def test_any_bytes_give_a_model_or_problems(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(raw)
    assert told(path) or read(path, Paper)


def test_after_two_hundred_mistakes_the_rest_is_one_line():
    found = problems("name: x\n" + "".join(f"x{n}: 1\n" for n in range(1000)))
    assert len(found) == 201
    assert "còn nhiều" in str(found[-1].what)


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(
    lambda text: unicodedata.normalize("NFC", text).strip() or "x"
)


@given(words, st.integers(1, 31), st.dates())
@example("on", 1, date(2021, 4, 7))
@example("2021-04-07", 1, date(2021, 4, 7))
@example("1e3", 1, date(2021, 4, 7))
@example("null", 1, date(2021, 4, 7))
def test_what_was_written_is_read_back_equal(name, count, day):
    model = Paper(name=name, count=count, parts=(Part(id="a", starts=day),))
    assert read(dump(model), Paper) == model
