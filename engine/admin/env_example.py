"""``packaging/.env.example``, made from the settings: every one with its default and its purpose in both languages.

``python -m engine.admin.env_example > packaging/.env.example``; a test compares the two.
"""

from __future__ import annotations

from itertools import groupby

from pydantic import SecretStr

from config.settings import Settings
from engine.admin.settings_view import GROUPS, PURPOSES

HEAD = """\
# Chép thành .env, bỏ dấu # ở dòng cần đặt. Tệp có mật khẩu: chmod 600.
# Copy to .env and remove the # of what you set. It holds passwords: chmod 600.
"""


def env_example() -> str:
    """The text of the file."""
    order = list(GROUPS)
    names = sorted(Settings.model_fields, key=lambda name: order.index(PURPOSES[name][0]))
    parts = [HEAD]
    for group, members in groupby(names, lambda name: PURPOSES[name][0]):
        parts.append(f"\n# --- {' / '.join(GROUPS[group])} ---\n")
        parts += [_lines(name) for name in members]
    return "".join(parts)


def _lines(name: str) -> str:
    field = Settings.model_fields[name]
    default = field.default
    plain = default.get_secret_value() if isinstance(default, SecretStr) else default
    value = "" if plain is None else str(plain).lower() if isinstance(plain, bool) else str(plain)
    return f"# {PURPOSES[name][1]} / {field.description}\n# DONDOC_{name.upper()}={value}\n"


if __name__ == "__main__":
    print(env_example(), end="")  # noqa: T201
