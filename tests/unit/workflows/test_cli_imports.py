"""What the command line imports before it knows which command is meant."""

import subprocess
import sys

HEAVY = ("sqlalchemy", "sqlmodel", "pydantic", "fastapi", "openpyxl", "prefect", "jinja2", "holidays", "docx")
SCRIPT = f"""
import sys
from workflows.cli import main
sys.argv = ["dondoc", "--help"]
try:
    main()
finally:
    print("imported:", [name for name in {HEAVY!r} if name in sys.modules])
"""


def test_help_imports_neither_a_database_nor_a_web_server() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    assert "simulate" in done.stdout
    assert done.stdout.splitlines()[-1] == "imported: []"
