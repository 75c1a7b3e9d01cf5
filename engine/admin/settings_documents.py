"""The two files that name every setting, made from the fields: ``docs/settings.md`` and ``packaging/.env.example``.

``python -m engine.admin.settings_documents`` writes them; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from config.about import SECTIONS
from config.settings import ABOUT, Settings
from engine.admin.settings_view import plain_words

_ENV_HEAD = """\
# Chép thành .env, bỏ dấu # ở dòng cần đặt. Tệp có mật khẩu: chmod 600.
# Copy to .env and remove the # of what you set. It holds passwords: chmod 600.
"""
_PAGE_HEAD = """\
# Settings

In the environment or in `.env`. `dondoc settings` shows what is in force, secrets masked. A name of an earlier version
has no effect: `serve` and `dondoc doctor` say what holds instead.

By name, with the default in round brackets. What names a page in square ones may be entered there instead (*Settings ›
Address*, *Outgoing mail*, *SMS*), in force at the next letter (cookies: at the next start); what the environment gives,
wins.

Made from the fields of `config/settings.py` by `python -m engine.admin.settings_documents`.
"""
_ROOT = Path(__file__).parents[2]


def documents() -> Mapping[str, str]:
    """Path in the repository -> the text of the file."""
    page, env = [_PAGE_HEAD], [_ENV_HEAD]
    for section, members in groupby(Settings.model_fields, lambda name: ABOUT[name].section):
        vi, en = SECTIONS[section]
        env.append(f"\n# --- {vi} / {en} ---\n")
        page.append(f"\n## {en}\n\n")
        for name in members:
            about, default = ABOUT[name], plain_words(Settings.model_fields[name].default)
            variable = f"DONDOC_{name.upper()}"
            example = f" (vd / e.g. {about.example})" if about.example else ""
            env.append(f"# {about.vi} / {about.en}{example}\n# {variable}={default}\n")
            notes = (about.en, about.example and f"(e.g. `{about.example}`)", about.page and f"[{about.page}]")
            page.append(f"- `{variable}`{f' (`{default}`)' if default else ''}: {' '.join(filter(None, notes))}\n")
    return {"docs/settings.md": "".join(page), "packaging/.env.example": "".join(env)}


if __name__ == "__main__":
    for path, text in documents().items():
        (_ROOT / path).write_text(text)
