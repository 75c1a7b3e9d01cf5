"""A new role, actor's role, file format or gateway stops at import, until every table that needs it has it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPORT_WITH_ANOTHER = """
import importlib.util, sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

module, after, member, used_in = sys.argv[1:]

class WithAnother(SourceFileLoader):
    def get_data(self, path):
        text = Path(path).read_text(encoding="utf8")
        assert text.count(after) == 1, text.count(after)
        return text.replace(after, after + member).encode()

    def path_stats(self, path):
        raise OSError  # neither read the compiled file nor write one

class Finder:
    @staticmethod
    def find_spec(name, path, target=None):
        if name == module:
            file = Path.cwd() / (name.replace(".", "/") + ".py")
            return importlib.util.spec_from_file_location(name, file, loader=WithAnother(name, str(file)))

sys.meta_path.insert(0, Finder)
importlib.import_module(used_in)
"""


@pytest.mark.parametrize(
    ("module", "after", "member", "used_in"),
    [
        ("engine.terms", '    LEADERSHIP = "leadership"\n', '    WATCHER = "watcher"\n', "engine.rules.words"),
        (
            "engine.accounts.permissions",
            '    ADMINISTRATOR = "administrator"\n',
            '    AUDITOR = "auditor"\n',
            "engine.accounts.permissions",
        ),
        (
            "engine.http.lists.listing",
            '    XLSX = "xlsx"\n',
            '    ODS = "ods"\n',
            "engine.http.lists.listing",
        ),
        ("config.settings", '"esms", "speedsms"', ', "another"', "workflows.operation.doctor"),
    ],
)
def test_a_new_member_stops_at_import(module: str, after: str, member: str, used_in: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_WITH_ANOTHER, module, after, member, used_in],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    name, error = member.split("=")[-1].strip(' ,"\n'), done.stderr.splitlines()[-1]
    assert (done.returncode, error[:9]) == (1, "TypeError")
    assert "no entry for" in error
    assert name in error
