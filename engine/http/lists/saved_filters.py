"""The filter of a saved view, read from its address as the list itself reads it."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any, get_type_hints
from urllib.parse import parse_qsl, urlsplit

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from sqlmodel import Session

from engine.errors import DondocError
from engine.http.filters import Small, assignment_filter
from engine.queries.filter_choices import plan_numbered
from engine.queries.work.assignments import AssignmentFilter

BY_TYPED_NUMBER = "number"
"""The parameter of a plan that was typed."""
_PLAN: TypeAdapter[int] = TypeAdapter(Small)


@cache
def _parameters() -> dict[str, tuple[str, TypeAdapter[Any], bool]]:
    """Parameter of the address -> argument of ``assignment_filter``, its type, whether there may be several."""
    found = {}
    for name, hint in get_type_hints(assignment_filter, include_extras=True).items():
        if name not in ("plan", "return"):
            fields = [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, FieldInfo)]
            alias = next((each.alias for each in fields if each.alias), name)
            adapter: TypeAdapter[Any] = TypeAdapter(hint)
            found[alias] = (name, adapter, getattr(hint.__origin__, "__origin__", None) is list)
    return found


def saved_filter(session: Session, path: str) -> AssignmentFilter | None:
    """None if the address no longer means anything."""
    given: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in parse_qsl(urlsplit(path).query):
        given[name].append(value)
    try:
        plan = _PLAN.validate_python(given["plan"][-1]) if given["plan"] else None
        if given[BY_TYPED_NUMBER]:
            plan = plan_numbered(session, given[BY_TYPED_NUMBER][-1])
        values = {
            name: adapter.validate_python(given[alias] if several else given[alias][-1])
            for alias, (name, adapter, several) in _parameters().items()
            if given[alias]
        }
        return assignment_filter(plan, **values)
    except (ValidationError, DondocError):
        return None
