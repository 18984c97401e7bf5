"""The command that gives an English encoder words of other languages: `credit-signals tune words`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from credit_signals.tuning.output import OWN_TEXTS, Panel, print_figures, show_progress

words_app = typer.Typer()


@words_app.command(rich_help_panel=Panel.TRAINING)
def words(
    base: Annotated[Path, typer.Argument(help="Folder with the English encoder: safetensors, tokenizer.", exists=True)],
    out: Annotated[Path, typer.Argument(help="Folder for the extended encoder.")],
    pairs: Annotated[
        Path, typer.Option(help="Folder of labelled sentences of which some render an English one (`src` is its id).")
    ] = OWN_TEXTS,
    epochs: Annotated[int, typer.Option(min=1, help="Rounds over the pairs.")] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the order of pairs.")] = 1,
) -> None:
    """Centre the encoder, give it the commonest words of German and French, and learn them from pairs.

    English is embedded as before, but for the mean. Needs the extra `tune`.
    """
    from credit_signals.tuning.centring import centre  # heavy
    from credit_signals.tuning.teacher import load_teacher  # heavy
    from credit_signals.tuning.word_pairs import PairSettings, WordLearner, pairs_of  # heavy
    from credit_signals.tuning.words import add_words  # heavy

    show_progress()
    known, added = add_words(base, out)
    sentences = load_teacher(sorted(pairs.glob("website_*.jsonl")))
    alike = centre(out, [sentence.text for sentence in sentences if sentence.language == "en"])
    near = WordLearner(out, known, PairSettings(epochs=epochs, seed=seed)).learn(pairs_of(sentences))
    print_figures({"words": added, "cosine_before_centring": round(alike, 4), "held_out_cosine": round(near, 4)})
