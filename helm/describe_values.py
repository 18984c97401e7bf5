"""Writes the table of values into the chart's README, from the `# --` comments of values.yaml.

    python helm/describe_values.py            # write
    python helm/describe_values.py --check    # 1 when the README is not current

A `# --` comment describes the value below it; one above an object describes the whole of it. Needs PyYAML.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).with_name("credit-signals")
BEGIN, END = "<!-- values: begin -->", "<!-- values: end -->"


def described(text: str) -> Iterator[tuple[list[str], str]]:
    """The path of each value that is described, and what it is."""
    path: list[str] = []
    about = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("# --"):
            about = stripped.removeprefix("# --").strip()
        elif stripped and not stripped.startswith(("#", "-")):
            path = [*path[: (len(line) - len(line.lstrip())) // 2], stripped.partition(":")[0]]
            if about:
                yield path, about
            about = ""


def table() -> str:
    """The table, as Markdown."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    values = yaml.safe_load(text)
    rows = ["| value | default | what it is |", "|---|---|---|"]
    for path, about in described(text):
        default: Any = values
        for name in path:
            default = default[name]
        shown = json.dumps(default, ensure_ascii=False).replace("|", "\\|")
        rows.append(f"| `{'.'.join(path)}` | `{shown}` | {about.replace('|', chr(92) + '|')} |")
    return "\n".join(rows)


def main() -> int:
    """Write the README, or check it."""
    readme = CHART / "README.md"
    old = readme.read_text(encoding="utf-8")
    new = f"{old[: old.index(BEGIN)]}{BEGIN}\n{table()}\n{old[old.index(END) :]}"
    if "--check" in sys.argv[1:]:
        if new != old:
            sys.stderr.write(f"{readme} is not current: python helm/describe_values.py\n")
        return int(new != old)
    readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
