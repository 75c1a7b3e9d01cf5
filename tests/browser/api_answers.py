"""The example answers of the page /api: what the reading examples answer in the lived province, shortened.

    python -m browser.api_answers       writes them anew (make api-answers)

``shape`` is what a test compares: the names that an answer has, whatever their values.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from browser.conftest import Spring, spring_of
from ground.office import join
from ground.postgres import Ground
from ground.province import MANY, NOW, fill

from engine.accounts.api_tokens import Scope, make_token
from engine.api.operations import PATH_VALUES
from engine.api.reference import ANSWERS

MOST_CHARS, MOST_ITEMS, MOST_DEPTH = 60, 1, 4


def shortened(value: Any, depth: int = 0) -> Any:
    """Lists with their first item, texts with their first words; what lies deep is left out."""
    if isinstance(value, dict):
        return {} if depth >= MOST_DEPTH else {name: shortened(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list):
        return [] if depth >= MOST_DEPTH else [shortened(each, depth + 1) for each in value[:MOST_ITEMS]]
    if isinstance(value, str) and len(value) > MOST_CHARS:
        return (value[:MOST_CHARS].rpartition(" ")[0] or value[:MOST_CHARS]) + "…"
    return value


def shape(value: Any) -> Any:
    """The names, and of a list those of its first item."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(each) for each in value[:1]] if isinstance(value, list) else None


def answers(spring: Spring, names: Mapping[str, Any]) -> dict[str, Any]:
    """By operation, what the documented command of each reading one answers; without those that answer no JSON,
    or an empty list."""
    found = {}
    for path, methods in httpx.get(f"{spring.url}/api/v1/openapi.json").json()["paths"].items():
        if "get" in methods:
            done = call(spring, example(spring, names, path, methods["get"]), new_key(spring, names), "-sf")
            with suppress(ValueError):
                answer = json.loads(done)
                if answer != [] and (not isinstance(answer, dict) or answer.get("items") != []):
                    found[methods["get"]["operationId"]] = shortened(answer)
    return found


def example(spring: Spring, names: Mapping[str, Any], path: str, operation: Mapping[str, Any]) -> str:
    """The documented command, about what is there."""
    sample: str = operation["x-codeSamples"][0]["source"]
    assert path.format(**PATH_VALUES) in sample
    there = {
        "account_id": names["account"],
        "agency_id": MANY,
        "assignment_id": names["reported"],
        "contact_id": names["contact"],
        "digest": names["digest"],
        "duty_id": names["duty"],
        "frozen_id": names["frozen"],
        "letter_id": names["letter"],
        "plan_id": names["plan"],
        "webhook_id": names["webhook"],
    }
    values = {**PATH_VALUES, **{name: str(value) for name, value in there.items()}}
    return sample.replace(path.format(**PATH_VALUES), path.format(**values), 1)


def new_key(spring: Spring, names: Mapping[str, Any]) -> str:
    """A key for one call: the one before may have ended all others."""
    words: dict[str, Any] = {"label": "thử", "scopes": tuple(Scope), "lasts": timedelta(days=9), "actor": "cli"}
    with spring.database.write() as session:
        return make_token(session, names["caller"], **words, now=NOW)


def call(spring: Spring, command: str, key: str, options: str) -> str:
    """What a shell prints of a documented command, with options of curl."""
    environment = {"PATH": os.environ["PATH"], "DONDOC": spring.url, "DONDOC_KEY": key, "LC_ALL": "C.UTF-8"}
    told = command.replace("curl ", f"curl {options} ", 1)
    done = subprocess.run(["bash", "-c", told], env=environment, capture_output=True, timeout=60)
    return done.stdout.decode(errors="replace")  # a file is no text


@contextmanager
def busy_spring(ground: Ground, folder: Path) -> Iterator[tuple[Spring, dict[str, Any]]]:
    """The lived province with something of everything in it, and an administrator who calls."""
    with spring_of(ground, folder) as spring:
        names = fill(spring.system)
        caller = join(spring.database, "administrator", "tinh-doan", password="mot cau dai de nho 7")
        yield spring, {**names, "caller": caller}


def main() -> None:
    with TemporaryDirectory(prefix="dondoc-answers-") as folder:
        Path(folder).chmod(0o755)
        ground = Ground(Path(folder) / "ground", os.getpid())
        ground.folder.mkdir()
        with busy_spring(ground, Path(folder)) as (spring, names):
            written = json.dumps(answers(spring, names), ensure_ascii=False, indent=1, sort_keys=True)
        ANSWERS.write_text(written + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
