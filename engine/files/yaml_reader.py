"""Reads a YAML file into a frozen model, or reports everything that is wrong with it, by line.

Used for every file of the operator: plan, directory, calendar, policy. Plain scalars are converted by YAML 1.2 rules
(``on``, ``no`` and ``01`` stay text). No file can make the reader run code, exhaust the memory or raise an unexpected
error: every mistake is a Problem of ``errors.FileRefused``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from engine.errors import FileRefused, Problem
from engine.files.base_model import FileModel, Mistake, Path_, fix_unknown_keys, mistake_of
from engine.text import Text

# libyaml where it is there: an eighth of the time.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
MAX_FILE_BYTES = 5_000_000
MAX_VALUES = 200_000
MAX_PROBLEMS = 200
MAX_DEPTH = 32
M = TypeVar("M", bound=BaseModel)

# Part of PyYAML's message -> what is wrong and how to fix it.
_SYNTAX = (
    (
        "cannot start any token",
        Text("có dấu tab, hoặc một ký tự không được đứng đầu từ", "a tab, or a character that cannot start a word"),
        Text(
            "thụt dòng bằng dấu cách; đặt chữ có ký hiệu trong ngoặc kép", "indent with spaces; quote text with symbols"
        ),
    ),
    (
        "mapping values are not allowed",
        Text("dấu hai chấm đứng sai chỗ", "a colon in the wrong place"),
        Text("đặt chữ có dấu hai chấm trong ngoặc kép", "put text with a colon in quotes"),
    ),
    (
        "characters are not allowed",
        Text("có ký tự điều khiển không nhìn thấy", "an invisible control character"),
        Text("xóa ký tự đó", "remove it"),
    ),
    (
        "nesting depth",
        Text("lồng nhau quá sâu", "nested too deeply"),
        Text("xem các dấu ngoặc và gạch đầu dòng", "check brackets and dashes"),
    ),
    (
        "found undefined alias",
        Text("«*» gọi một tên chưa đặt", "“*” refers to a name that is not defined"),
        Text("đặt chữ bắt đầu bằng * trong ngoặc kép", "put text that begins with * in quotes"),
    ),
)
_OTHER_SYNTAX = (
    Text("YAML viết sai", "invalid YAML"),
    Text("xem thụt dòng, ngoặc, gạch đầu dòng", "check indentation, brackets and dashes"),
)

_PLAIN: tuple[tuple[re.Pattern[str], Callable[[str], object]], ...] = (
    (re.compile(r"~|null|"), lambda _: None),
    (re.compile(r"true|false"), lambda text: text == "true"),
    (re.compile(r"0|-?[1-9][0-9]{0,17}"), int),
    (re.compile(r"-?[0-9]{1,17}\.[0-9]{1,17}"), float),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), lambda text: _iso_date(text) or text),
)


def _iso_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _scalar(node: yaml.ScalarNode) -> object:
    """A quoted or block scalar is text; a plain one may be null, a boolean, a number or a date."""
    text: str = node.value
    if not node.style:
        for pattern, convert in _PLAIN:
            if pattern.fullmatch(text):
                return convert(text)
    return text


class _Stop(Exception):
    """Reading cannot continue; the problem has been recorded."""


@dataclass
class _Reader:
    """One text being read: the line of every value, and the problems so far."""

    file: str
    lines: dict[Path_, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    values: int = 0

    def add_problem(self, path: Path_, what: Text, fix: Text, line: int | None = None) -> None:
        at = self._line(path) if line is None else line
        if len(self.problems) == MAX_PROBLEMS:
            what, fix = (
                Text("còn nhiều lỗi nữa", "there are more mistakes"),
                Text("sửa các lỗi trên trước", "fix these first"),
            )
        problem = Problem(self.file, at, _path_text(path), what, fix)
        if len(self.problems) <= MAX_PROBLEMS and problem not in self.problems:
            self.problems.append(problem)

    def stop(self, what: Text, fix: Text, line: int = 0, path: Path_ = ()) -> _Stop:
        self.add_problem(path, what, fix, line)
        return _Stop()

    def _line(self, path: Path_) -> int:
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)

    def text(self, source: Path | str) -> str:
        """The text in NFC, so that equal names compare equal whatever keyboard typed them."""
        if isinstance(source, str):
            text = source
            if len(text) > MAX_FILE_BYTES:
                raise self.stop(
                    Text("lớn quá 5 MB", "larger than 5 MB"), Text("chia thành nhiều tệp", "split the file")
                )
        else:
            text = self._decoded(source)
        if not text.strip():
            raise self.stop(
                Text("tệp trống", "the file is empty"), Text("chép từ tệp mẫu trong config/", "start from a sample")
            )
        return unicodedata.normalize("NFC", text)

    def _decoded(self, source: Path) -> str:
        try:
            with source.open("rb") as opened:
                raw = opened.read(MAX_FILE_BYTES + 1)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise self.stop(
                Text(f"không đọc được tệp: {why}", f"the file cannot be read: {why}"),
                Text("xem lại đường dẫn và quyền đọc", "check the path and the read permission"),
            ) from error
        if len(raw) > MAX_FILE_BYTES:
            raise self.stop(Text("lớn quá 5 MB", "larger than 5 MB"), Text("chia thành nhiều tệp", "split the file"))
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self.stop(
                Text("bảng mã không phải UTF-8", "the text is not UTF-8"),
                Text("lưu lại tệp với bảng mã UTF-8 (Unicode)", "save the file again as UTF-8"),
                raw.count(b"\n", 0, error.start) + 1,
            ) from error

    def data(self, text: str) -> object:
        """Parse the text into plain lists, dicts and scalars, recording the line of each key and item."""
        try:
            node = yaml.compose(text, Loader=_LOADER)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raised = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
            line = mark.line + 1 if mark else text.count("\n", 0, getattr(error, "position", 0)) + 1
            what, fix = next(((w, m) for sign, w, m in _SYNTAX if sign in raised), _OTHER_SYNTAX)
            raise self.stop(Text.joined(" ", (what, Text.same(f"({raised})"))), fix, line) from error
        except (RecursionError, UnicodeEncodeError) as error:
            raise self.stop(*_OTHER_SYNTAX) from error
        if node is None:
            raise self.stop(
                Text("tệp trống", "the file is empty"), Text("chép từ tệp mẫu trong config/", "start from a sample")
            )
        return self._built(node, ())

    def _too_much(self, line: int) -> _Stop:
        return self.stop(
            Text("quá nhiều mục, hoặc lồng nhau quá sâu", "too many values, or nested too deeply"),
            Text("bỏ các dấu & và * lặp lại nhau; chia nhỏ tệp", "remove repeated & and *, or split the file"),
            line,
        )

    def _built(self, node: yaml.Node, path: Path_) -> object:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self.values += 1
        if self.values > MAX_VALUES or len(path) > MAX_DEPTH:
            raise self._too_much(line)
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.startswith("tag:yaml.org,2002:python"):
            self.add_problem(
                path, Text(f"không dùng thẻ «{node.tag}»", "tags are not used"), Text("xóa thẻ", "remove the tag"), line
            )
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self._built(each, (*path, n)) for n, each in enumerate(node.value)]
        return self._mapping(node, path)

    def _mapping(self, node: yaml.Node, path: Path_) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.add_problem(
                    path,
                    Text("tên mục phải là một từ", "a key must be one word"),
                    Text("sửa tên", "correct the key"),
                    line,
                )
                continue
            key: str = key_node.value
            if key in result:
                first = self.lines[(*path, key)]
                self.add_problem(
                    (*path, key),
                    Text(
                        f"mục «{key}» viết hai lần, lần đầu ở dòng {first}",
                        f"the key is given twice, first on line {first}",
                    ),
                    Text("giữ một mục", "keep one of them"),
                    line,
                )
                continue
            self.lines[(*path, key)] = line
            result[key] = self._built(value_node, (*path, key))
        return result


def _path_text(path: Path_) -> str:
    """``agencies[2].contacts[0].email``; the whole file is ``-``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "-"


def read(
    source: Path | str, model: type[M], name: str = "", *, also: Callable[[M], Iterable[Mistake]] = lambda _: ()
) -> M:
    """Read a file (a Path) or a text (a str) into a model. ``name``: shown as the file's name in problems. ``also``:
    further checks, which need other files. Raises FileRefused with all problems, by line."""
    reader = _Reader(name or (str(source) if isinstance(source, Path) else "-"))
    try:
        data = reader.data(reader.text(source))
    except _Stop:
        raise FileRefused(reader.problems) from None
    result = _validated(reader, data, model)
    if result is not None:
        own = result.mistakes() if isinstance(result, FileModel) else ()
        for mistake in (*own, *also(result)):
            reader.add_problem(mistake.path, mistake.what, mistake.fix)
    if reader.problems or result is None:
        raise FileRefused(sorted(reader.problems, key=lambda each: each.line))
    return result


def _validated(reader: _Reader, data: object, model: type[M]) -> M | None:
    try:
        return model.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    corrected = fix_unknown_keys(data, errors, model)
    for each in errors:
        if each["loc"] not in corrected:
            mistake = mistake_of(each, model)
            reader.add_problem(mistake.path, mistake.what, mistake.fix)
    try:
        return model.model_validate(data, by_alias=True, by_name=False)
    except ValidationError:
        return None


def dump(model: FileModel) -> str:
    """Write the model as YAML that ``read`` turns back into an equal model; defaults are left out."""
    plain = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return dump_plain(plain)


def dump_plain(plain: object) -> str:
    """Write dicts, lists and scalars as YAML, in their order."""
    text: str = yaml.dump(plain, Dumper=_DUMPER, allow_unicode=True, sort_keys=False, width=110)
    return text


def load_plain(text: str) -> Any:
    """Read YAML that we wrote ourselves: dicts and lists, every scalar as text."""
    return yaml.load(text, Loader=_LOADER)
