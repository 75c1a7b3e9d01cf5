"""Adds to an SBOM the day on which each part was released, as the package registry that pip uses says.

usage: release_dates.py FILE. Parts whose day is not known are left as they are; where no registry can be reached, all.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from pip._internal.models.index import PyPI

KIND = "application/vnd.pypi.simple.v1+json"
SECONDS = 10


def index() -> str:
    """The address of the registry: pip's setting, or its default."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False
    )
    return (asked.stdout.strip() or PyPI.simple_url).rstrip("/")


def released(base: str, name: str, version: str) -> str | None:
    """ISO day of the first file of a version; None if the registry does not say."""
    plain = re.sub(r"[-_.]+", "-", name).lower()
    with urlopen(Request(f"{base}/{plain}/", headers={"accept": KIND}), timeout=SECONDS) as answer:
        files = json.load(answer)["files"]
    spelt = re.compile(rf"{re.escape(plain)}-{re.escape(version)}[-.]")
    days = [
        each["upload-time"][:10]
        for each in files
        if each.get("upload-time") and spelt.match(re.sub(r"[-_.]+(?=[a-z])", "-", each["filename"].lower()))
    ]
    return min(days, default=None)


def main(file: Path) -> None:
    bom = json.loads(file.read_text(encoding="utf-8"))
    base, dated = index(), 0
    for part in bom["components"]:
        try:
            day = released(base, part["name"], part["version"])
        except (URLError, ValueError, KeyError, TimeoutError):
            continue
        if day is not None:
            part.setdefault("properties", []).append({"name": "dondoc:released", "value": day})
            dated += 1
    file.write_text(json.dumps(bom, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(f"{dated} of {len(bom['components'])} parts with their day of release.\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
