"""JSON Schemas of the operator's files, generated from their models.

``config/schemas/*.json`` are the published copies, for editors with completion and validation. A test compares them
with the models; ``python -m engine.files.schemas`` writes them again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from engine.files.calendar import CalendarFile
from engine.files.directory import DirectoryFile
from engine.files.plan import PlanFile
from engine.rules.policy import Policy

KINDS: dict[str, type[BaseModel]] = {
    "plan": PlanFile,
    "directory": DirectoryFile,
    "calendar": CalendarFile,
    "policy": Policy,
}
FOLDER = Path(__file__).parents[2] / "config" / "schemas"


def published() -> dict[str, dict[str, Any]]:
    """Kind of file -> JSON Schema (2020-12)."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {
        kind: head | {"$id": f"dondoc/{kind}@1"} | model.model_json_schema(by_alias=True)
        for kind, model in KINDS.items()
    }


def printed(schema: dict[str, object]) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def publish(folder: Path = FOLDER) -> None:
    """Write the published copies."""
    for kind, schema in published().items():
        (folder / f"{kind}.json").write_text(printed(schema), encoding="utf-8")


if __name__ == "__main__":
    publish()
