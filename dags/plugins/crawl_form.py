"""The trigger form of the DAG `crawl_companies`: each field's default, limits and help."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

COUNT: dict[str, Any] = {"type": "integer", "minimum": 1}

FORM = {
    "companies": Param(
        "",
        type="string",
        title="Company list",
        description="Path of a CSV or Parquet file (id, name, domain or URL, country); empty: who is due",
    ),
    "limit": Param(None, type=["null", "integer"], minimum=1, title="Limit", description="Most companies"),
    "due_days": Param(7, **COUNT, title="Due after", description="Without a list: days since a company's last crawl"),
    "shards": Param(4, **COUNT, maximum=256, title="Shards", description="Crawl tasks that share the companies"),
    "pages": Param(40, **COUNT, title="Pages", description="Budget of a company: pages"),
    "bytes": Param(20_000_000, **COUNT, title="Bytes", description="Budget of a company: bytes, decoded"),
    "seconds": Param(120, **COUNT, title="Seconds", description="Budget of a company: seconds"),
    "depth": Param(4, type="integer", minimum=0, title="Depth", description="Budget of a company: links from home"),
    "reread": Param(False, type="boolean", title="Read again", description="Read every section, changed or not"),
    "hours": Param(24, type="number", exclusiveMinimum=0, title="Hours", description="How long readers may take"),
}
