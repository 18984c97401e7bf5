"""The trigger form of the DAG `fine_tune`: each field's default, limits and help. No field holds a secret."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

TEXT: dict[str, Any] = {"type": ["null", "string"]}
SHARE: dict[str, Any] = {"type": "number", "minimum": 0}
SEVERAL: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
FORMS = ["json_schema", "json_object", "text"]

FORM = {
    "endpoint": Param(
        "http://teacher:8000/v1",
        type="string",
        pattern="^https?://[^@?]+$",
        title="Teacher",
        description="Base URL that OpenAI clients take; the text of the sentences is sent there",
    ),
    "model": Param("teacher", type="string", minLength=1, title="Model", description="Name of the model there"),
    "key_env": Param(None, **TEXT, title="Key", description="Environment variable of the workers that holds the key"),
    "form": Param("json_schema", enum=FORMS, title="Answers", description="How the schema is told"),
    "budget": Param(None, type=["null", "number"], minimum=0, title="Budget", description="Dollars for the teacher"),
    "prompt_price": Param(0, **SHARE, title="Price of prompts", description="Dollars per million tokens"),
    "answer_price": Param(0, **SHARE, title="Price of answers", description="Dollars per million tokens"),
    "grade": Param(True, type="boolean", title="Grade", description="Let the teacher grade its labels, keep 4 and 5"),
    "run": Param(None, **TEXT, title="Run", description="Crawl to take sentences from; empty: the latest"),
    "count": Param(2000, type="integer", minimum=1, title="Sentences", description="Size of the sample"),
    "labels": Param([], **SEVERAL, title="Labels", description="Paths of further labelled sentences, a line each"),
    "tests": Param([], **SEVERAL, title="Tests", description="Paths of labelled sentences to test on, a line each"),
    "kind": Param("encoder", enum=["encoder", "causal"], title="Kind", description="What is trained"),
    "base": Param("/models/base", type="string", minLength=1, title="Base", description="Its Hugging Face folder"),
    "gguf": Param(None, **TEXT, title="Base as GGUF", description="Encoder; empty: it is converted"),
    "activity": Param(None, **TEXT, title="Activity index", description="Encoder; the one made for the base"),
    "languages": Param(["en"], **SEVERAL, title="Languages", description="That it reads, ISO 639-1, a line each"),
    "epochs": Param(None, type=["null", "number"], exclusiveMinimum=0, title="Epochs", description="Empty: the usual"),
    "threads": Param(2, type="integer", minimum=1, title="Threads", description="Processor threads of the training"),
    "promote": Param(True, type="boolean", title="Promote", description="Put the reader to work if it is better"),
    "may_lose": Param(0, **SHARE, exclusiveMaximum=1, title="May lose", description="Trade: F1 that may be lost"),
    "cost_factor": Param(
        None, type=["null", "number"], exclusiveMinimum=0, title="Cost", description="Trade: highest cost, in multiples"
    ),
    "trade_reason": Param(None, **TEXT, title="Reason", description="Why the trade is worth it"),
    "without_activities": Param(
        False, type="boolean", title="Without activities", description="Promote although it tells no activities"
    ),
}
