"""`credit-signals tune sample`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.output import Panel, print_figures

dataset_app = typer.Typer()


@dataset_app.command(rich_help_panel=Panel.DATA)
def sample(
    out: Annotated[Path, typer.Option(help="Sentences for training and validation (JSON Lines).", dir_okay=False)],
    count: Annotated[int, typer.Option(help="Sentences, blind test split included.", min=1)],
    store: Annotated[
        str,
        typer.Option(
            help="Results store, as sqlite:///data/store.db.", envvar="CREDIT_SIGNALS_STORE_URL", show_default=False
        ),
    ] = "",
    run_id: Annotated[str, typer.Option("--run", help="Run to take from; the latest when left out.")] = "",
    sentences: Annotated[
        list[Path] | None, typer.Option(help="Also take from this file: .jsonl, or text with a sentence per line.")
    ] = None,
    blind: Annotated[
        Path | None, typer.Option(help="Blind test split (default: OUT with .test.jsonl).", dir_okay=False)
    ] = None,
    random_share: Annotated[float, typer.Option(help="Share drawn at random, and marked so.", min=0, max=1)] = 0.2,
    near: Annotated[
        float, typer.Option(help="Share of common five-letter runs from which two are near-duplicates.", min=0.1, max=1)
    ] = 0.8,
    questions: Annotated[
        Path, typer.Option(help="Questions whose template the data is for.", exists=True, file_okay=False)
    ] = Path("workers/section_reader/questions"),
    seed: Annotated[int, typer.Option(help="Seed of choice and splits.")] = 1,
) -> None:
    """Choose sentences to label: spread over predicted codes, certainty, page roles and languages, a share at random.

    Near-duplicates are left out. Companies and documents are split as a whole; those of the test split are written to a
    file of their own, once: later samples check its SHA-256 and leave it alone.

    The files hold text of websites, with the names, addresses and telephone numbers that stand there, and `tune label`
    sends it to the endpoint that you name. Keep them where that is allowed, and out of version control.
    """
    if not store and not sentences:
        raise ConfigurationError("nothing to sample from: name a --store or files of --sentences")
    from credit_signals.store import SqlStore
    from credit_signals.tuning.dataset.make import SampleFiles, all_candidates, make_sample
    from credit_signals.tuning.dataset.sampling import SampleSettings

    opened = SqlStore(store) if store else None
    try:
        if opened:
            opened.migrate()
        candidates = all_candidates(opened, run_id, sentences or [])
        settings = SampleSettings(count, random_share, near, seed)
        print_figures(make_sample(candidates, settings, SampleFiles(out, questions, blind)))
    finally:
        if opened:
            opened.close()
