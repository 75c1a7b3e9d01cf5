"""Base model, field types and error messages of the operator's files.

``yaml_reader`` reads a file into such a model; this module turns an error into a short sentence in Vietnamese and
English on what is wrong, and one on how to fix it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import UnionType
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Strict, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError

from engine.errors import BadInput
from engine.rules.typed_day import iso_day
from engine.text import Text

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Mistake:
    """An error in a file. ``path`` leads to it by the file's own keys and 0-based indices."""

    path: Path_
    what: Text
    fix: Text


class FileModel(BaseModel):
    """Base of all file models. Frozen; unknown keys are refused. ``mistakes`` checks rules that involve several values
    and runs after the structure is valid."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, str_strip_whitespace=True)

    def mistakes(self) -> Iterator[Mistake]:
        yield from ()


def field_error(what: Text, fix: Text) -> PydanticCustomError:
    """An error for a field validator to raise, with our own messages."""
    return PydanticCustomError("mistake", "{what}", {"what": what, "fix": fix})


def did_you_mean(word: str, known: Iterable[str]) -> Text:
    """The fix for an unknown word: suggests the nearest known one, else the first few."""
    choices = sorted(set(known))
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if near:
        return Text(f"có phải ý là «{near[0]}»?", f"did you mean “{near[0]}”?")
    shown = ", ".join(choices[:12]) + (", …" if len(choices) > 12 else "")
    return (
        Text(f"dùng một trong: {shown}", f"use one of: {shown}")
        if choices
        else Text("xóa dòng này", "remove this line")
    )


def textual(pattern: str, fix: Text) -> tuple[AfterValidator, WithJsonSchema]:
    """Field metadata for a text with a given pattern; ``fix`` explains how to write it."""

    def validate(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise field_error(Text(f"«{value}» viết sai dạng", "has the wrong format"), fix)
        return value

    return AfterValidator(validate), WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$"})


def _day(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return iso_day(value if isinstance(value, str) else "")
    except BadInput:
        shown = "" if value is None else value
        raise field_error(
            Text(f"«{shown}» không phải một ngày có thật", "is not a valid date"),
            Text("viết năm-tháng-ngày, như 2021-06-17", "write year-month-day"),
        ) from None


Day = Annotated[date, BeforeValidator(_day)]
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Slug = Annotated[
    str,
    *textual(
        r"[a-z0-9]+(?:-[a-z0-9]+)*",
        Text("chữ thường không dấu, số và gạch nối, như so-y-te", "lower-case letters, digits and hyphens"),
    ),
]


# pydantic's error type -> (what, fix). {input} is the value in the file.
_SHAPES = {
    "missing": (Text("thiếu mục bắt buộc", "a required key is missing"), Text("thêm «{name}:»", "add “{name}:”")),
    "string_type": (
        Text("phải là chữ, đang là {input}", "must be text"),
        Text('đặt trong ngoặc kép: "{input}"', "put it in quotes"),
    ),
    "int_type": (
        Text("phải là số nguyên, đang là {input}", "must be a whole number"),
        Text("viết như 17", "write like 17"),
    ),
    "float_type": (
        Text("phải là số, đang là {input}", "must be a number"),
        Text("viết như 100 hoặc 0.5", "write like 100 or 0.5"),
    ),
    "bool_type": (
        Text("phải là true hoặc false, đang là {input}", "must be true or false"),
        Text("viết true hoặc false", "write true or false"),
    ),
    "tuple_type": (
        Text("phải là danh sách, đang là {input}", "must be a list"),
        Text("mỗi dòng một mục, bắt đầu bằng «- », hoặc [a, b]", "one “- ” line each, or [a, b]"),
    ),
    "model_type": (
        Text("phải là một nhóm «tên: giá trị», đang là {input}", "must be a block of “key: value”"),
        Text("xem tệp mẫu và config/schemas/", "see a sample file and config/schemas/"),
    ),
    "greater_than_equal": (
        Text("{input} quá nhỏ, ít nhất {ge}", "too small, at least {ge}"),
        Text("sửa số", "correct the number"),
    ),
    "less_than_equal": (
        Text("{input} quá lớn, nhiều nhất {le}", "too large, at most {le}"),
        Text("sửa số", "correct the number"),
    ),
    "string_pattern_mismatch": (
        Text("«{input}» viết sai dạng", "has the wrong format"),
        Text("viết theo mẫu {pattern}", "use the pattern {pattern}"),
    ),
    "time_parsing": (Text("«{input}» không phải giờ", "is not a time"), Text('viết như "07:30"', 'write like "07:30"')),
    "string_too_short": (Text("không được để trống", "must not be empty"), Text("điền vào", "fill it in")),
    "string_too_long": (
        Text("dài quá {max_length} ký tự", "longer than {max_length} characters"),
        Text("viết ngắn lại", "shorten it"),
    ),
    "too_short": (
        Text("cần ít nhất {min_length} mục", "needs at least {min_length} entries"),
        Text("thêm mục", "add an entry"),
    ),
}
_OTHER = (Text.same("{message}"), Text("xem config/schemas/", "see config/schemas/"))
_SHAPES |= {"model_attributes_type": _SHAPES["model_type"], "dict_type": _SHAPES["model_type"]}
_SHAPES |= {"float_parsing": _SHAPES["float_type"], "int_parsing": _SHAPES["int_type"]}


def mistake_of(error: ErrorDetails, model: type[BaseModel]) -> Mistake:
    """Convert one of pydantic's errors."""
    path: Path_ = tuple(part for part in error["loc"] if part != "[key]")
    kind, context = error["type"], dict(error.get("ctx") or {})
    name, given = str(path[-1]) if path else "", error.get("input")
    if kind == "mistake":
        return Mistake(path, context["what"], context["fix"])
    if kind == "extra_forbidden":
        what = Text(f"không có mục «{name}»", f"there is no key “{name}”")
        return Mistake(path, what, did_you_mean(name, keys_at(model, path[:-1])))
    if kind in {"enum", "literal_error"}:
        what = Text(f"«{_brief(given).vi}» không có trong danh sách", "is not one of the values")
        return Mistake(path, what, did_you_mean(str(given), re.findall(r"'([^']*)'", str(context.get("expected")))))
    if given is None and kind.endswith("_type"):
        return Mistake(
            path, Text("để trống", "is empty"), Text("điền vào, hoặc xóa cả dòng", "fill it in, or remove the line")
        )
    if kind == "value_error":
        return Mistake(
            path, Text.same(str(context["error"])), Text("xem tệp mẫu trong config/", "see the sample in config/")
        )
    what, fix = _SHAPES.get(kind, _OTHER)
    filled = {"name": name, "message": error["msg"], **context}
    return Mistake(path, what.filled(input=_brief(given), **filled), fix.filled(input=_brief(given), **filled))


def _brief(value: object) -> Text:
    """The value in the file, as it would be typed there, shortened."""
    if isinstance(value, dict | list):
        return Text("một nhóm", "a block") if isinstance(value, dict) else Text("một danh sách", "a list")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return Text.same(text if len(text) <= 60 else text[:57] + "…")


def keys_at(model: type[BaseModel], path: Path_) -> list[str]:
    """The keys that the model allows at a path."""
    at: Any = model
    for part in path:
        at = _unwrapped(at)
        if _is_model(at):
            at = next((each.annotation for name, each in at.model_fields.items() if (each.alias or name) == part), None)
        else:
            at = next(iter(get_args(at)[-1 if get_origin(at) is dict else 0 :]), None)
    at = _unwrapped(at)
    return [each.alias or name for name, each in at.model_fields.items()] if _is_model(at) else []


def _is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _unwrapped(annotation: Any) -> Any:
    """The type inside ``X | None`` and ``Annotated[X, …]``."""
    if get_origin(annotation) in (Union, UnionType, Annotated):
        return _unwrapped(next(each for each in get_args(annotation) if each is not type(None)))
    return annotation


def fix_unknown_keys(data: object, errors: Sequence[ErrorDetails], model: type[BaseModel]) -> set[Path_]:
    """Rename misspelt keys in place, and drop other unknown ones, so that the remaining rules can be checked too.
    Returns the paths of the corrected keys."""
    corrected: set[Path_] = set()
    for error in errors:
        if error["type"] == "extra_forbidden":
            *above, name = error["loc"]
            at: Any = data
            for part in above:
                at = at[part]
            value = at.pop(name)
            missing = [key for key in keys_at(model, tuple(above)) if key not in at]
            for key in difflib.get_close_matches(str(name), missing, n=1, cutoff=0.6):
                at[key] = value
                corrected.add((*above, key))
    return corrected
