"""The coverage that was measured last, a line a room: ``make coverage`` prints it."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from coverage import Coverage


def main() -> None:
    with TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        coverage = Coverage()
        coverage.load()
        coverage.json_report(outfile=str(report))
        files = json.loads(report.read_text())["files"]
    rooms: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for path, measured in files.items():
        parts, summary = Path(path).parts[:-1], measured["summary"]
        for room in ("/".join(parts[:2]), "all"):
            rooms[room][0] += summary["covered_lines"] + summary["covered_branches"]
            rooms[room][1] += summary["num_statements"] + summary["num_branches"]
    for room, (covered, all_) in sorted(rooms.items(), key=lambda item: (item[0] == "all", item[0])):
        print(f"{room:28} {100 * covered / max(all_, 1):5.1f} %  {covered}/{all_} lines and branches")


if __name__ == "__main__":
    main()
