"""Bounds of a cascade: what questions are worth, on made-up tables and scripted readers."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit_signals.domain import FoundSignal, Stance, Subject
from credit_signals.inference.cascade import CascadeReader
from credit_signals.inference.manifest import Blend, Bounds, CascadeManifest
from credit_signals.inference.scripted import ScriptedReader
from credit_signals.tuning.cascade import write_cascade_manifest
from credit_signals.tuning.cascade_answers import Costs, PairTable, ask_both, section_of
from credit_signals.tuning.cascade_bounds import Rules, best_point, cost_curve, fit_blend, measure, settle, told_apart
from credit_signals.tuning.metrics import FEWEST, f1, sigmoid
from credit_signals.tuning.teacher import CODES, Label, LabelledSentence

COSTS = Costs(sentence_seconds=0.01, question_seconds=0.1)
LAYOFFS, HIRING = CODES.index("layoffs"), CODES.index("hiring")


def table_of(knowledge: float, seed: int = 0, sentences: int = 400) -> PairTable:
    """A calibrated first reader, and a second that knows nothing (0) or nearly all (4)."""
    dice = np.random.default_rng(seed)
    odds = dice.normal(-3, 2, (sentences, len(CODES)))
    gold = dice.random(odds.shape) < sigmoid(odds)
    second = sigmoid(dice.normal(0, 1, odds.shape) + knowledge * (2 * gold - 1))
    return PairTable(gold, sigmoid(odds), second, np.full(len(CODES), 0.5))


def test_without_a_question_the_cascade_is_the_first_reader() -> None:
    """The first point of a curve asks nothing and has the first reader's figures."""
    table = table_of(2)
    point = cost_curve(table, COSTS, Blend(), 0.0)[0]
    found = table.first >= 0.5
    assert (point.asked, point.unsure, point.bounds) == (0, 0, {})
    assert point.cpu_seconds == pytest.approx(0.1)
    assert point.micro_f1 == pytest.approx(f1((found & table.gold).sum(), found.sum(), table.gold.sum()))


@pytest.mark.parametrize("knowledge", [0.0, 1.0, 4.0])
def test_a_dearer_point_is_a_better_one(knowledge: float) -> None:
    """F1 and cost rise together along a curve, and every code's bounds lie around its threshold."""
    table = table_of(knowledge)
    curve = cost_curve(table, COSTS, fit_blend(table), 0.1)
    assert [p.asked for p in curve] == sorted({p.asked for p in curve})
    assert [p.micro_f1 for p in curve] == sorted({p.micro_f1 for p in curve})
    for point in curve:
        assert all(bounds.lower <= 0.5 <= bounds.upper for bounds in point.bounds.values())
        assert point.cpu_seconds == pytest.approx(0.1 + 0.1 * point.asked)


def test_a_budget_is_kept_and_a_knowing_judge_pays() -> None:
    """More questions are asked where they may cost more, and a judge that knows brings a higher F1."""
    table = table_of(4)
    curve = cost_curve(table, COSTS, fit_blend(table), 0.0)
    chosen = [best_point(curve, budget) for budget in (0.0, 2.0, 1000.0)]
    assert chosen[0].asked == 0
    assert chosen[1].asked <= 2
    assert [point.micro_f1 for point in chosen] == sorted(point.micro_f1 for point in chosen)
    assert chosen[2].micro_f1 > chosen[0].micro_f1 + 0.1


def test_the_blend_weighs_knowledge() -> None:
    """A judge that knows nothing weighs nothing beside a calibrated reader; one that knows weighs more."""
    ignorant, knowing = fit_blend(table_of(0)), fit_blend(table_of(3))
    assert ignorant.first == pytest.approx(1, abs=0.15)
    assert ignorant.second == pytest.approx(0, abs=0.15)
    assert knowing.second > 0.5


def test_what_each_reader_tells_apart() -> None:
    """An ignorant judge is at chance, a knowing one above the first reader, and the blend is as good as either."""
    ignorant, knowing = table_of(0), table_of(3)
    assert told_apart(ignorant, fit_blend(ignorant))["second"] == pytest.approx(0.5, abs=0.03)
    shares = told_apart(knowing, fit_blend(knowing))
    assert shares["pairs"] == knowing.gold.size
    assert 0.5 < shares["first"] < shares["second"] <= shares["blended"] <= 1
    assert told_apart(replace(ignorant, gold=np.zeros_like(ignorant.gold)), Blend())["first"] == 0.5


def test_rare_codes_share_their_bounds() -> None:
    """Codes with few examples reach equally far around their thresholds."""
    table = table_of(4)
    gold = table.gold.copy()
    gold[FEWEST // 2 :, 5:] = False
    point = cost_curve(replace(table, gold=gold), COSTS, Blend(), 0.0)[-1]
    assert len({point.bounds.get(code) for code in CODES[5:]}) == 1


def test_tables_must_fit() -> None:
    """A table of another shape is refused."""
    table = table_of(0)
    with pytest.raises(ValueError, match="tables of"):
        replace(table, first=table.first[:, 1:])


share = st.floats(0.001, 0.999)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(share, share), min_size=1, max_size=6), st.tuples(share, share).map(sorted), share, share)
def test_the_table_says_what_the_reader_does(
    pairs: list[tuple[float, float]], limits: list[float], least_margin: float, threshold: float
) -> None:
    """`settle` finds, asks and leaves unsure what CascadeReader does with the same rules."""
    words = [f"word{number}x" for number in range(len(pairs))]
    firsts = {
        word: FoundSignal(
            code="layoffs",
            sentence=1,
            stance=Stance.OCCURRED,
            subject=Subject.COMPANY,
            severity=1,
            confidence=first,
            margin=first - threshold,
        )
        for word, (first, _) in zip(words, pairs, strict=True)
    }
    first = ScriptedReader(firsts)
    second = ScriptedReader({}, verdicts={word: told for word, (_, told) in zip(words, pairs, strict=True)})
    sentences = [LabelledSentence(word, word, "en", "", f"A {word}.", ()) for word in words]
    rules = Rules({"layoffs": Bounds(lower=limits[0], upper=limits[1])}, Blend(first=0.5), least_margin)
    names = {"kind": "cascade", "version": "1", "cheap": "a", "second": "b"}
    manifest = CascadeManifest(**names, bounds=rules.bounds, blend=rules.blend, least_margin=least_margin)
    read = CascadeReader(manifest, "c", first, second).read([section_of(sentence) for sentence in sentences])
    table = PairTable(
        np.zeros((len(pairs), len(CODES)), dtype=bool),
        np.zeros((len(pairs), len(CODES))),
        np.zeros((len(pairs), len(CODES))),
        np.full(len(CODES), threshold),
    )
    table.first[:, LAYOFFS], table.second[:, LAYOFFS] = np.array(pairs).T
    found, asked, unsure = settle(table, rules)
    assert [bool(prediction.signals) for prediction in read] == found[:, LAYOFFS].tolist()
    assert [bool(prediction.unsure) for prediction in read] == unsure[:, LAYOFFS].tolist()
    assert len({doubt.text for doubt in second.judged}) == asked.sum()
    assert not found[:, HIRING].any()


def test_both_readers_are_asked_as_in_service() -> None:
    """The table holds the first reader's probabilities and thresholds, and the second's answers to what is doubtful."""
    sure = FoundSignal(
        code="hiring", sentence=1, stance="occurred", subject="company", severity=1, confidence=0.99, margin=0.59
    )
    doubtful = sure.model_copy(update={"code": "layoffs", "confidence": 0.5, "margin": 0.1})
    second = ScriptedReader({}, verdicts={"jobs": 0.8})
    label = Label("layoffs", "occurred", "company", 2)
    sentences = [
        LabelledSentence("1", "1", "en", "News", "We cut jobs.", (label,)),
        LabelledSentence("2", "2", "en", "", "Join us.", ()),
    ]
    table, _ = ask_both(sentences, ScriptedReader({"jobs": doubtful, "join": sure}), second)
    assert [(doubt.context, doubt.code) for doubt in second.judged] == [("News", "layoffs")]
    assert (table.first[0, LAYOFFS], table.second[0, LAYOFFS], table.threshold[LAYOFFS]) == (0.5, 0.8, 0.4)
    assert (table.first[1, HIRING], np.isnan(table.second[1, HIRING])) == (0.99, True)
    assert table.gold.sum() == 1
    assert measure(table, COSTS, Rules({}, Blend(), 0.0)).micro_f1 == pytest.approx(2 / 3)


def test_a_written_manifest_is_read_back(tmp_path: Path) -> None:
    """What was chosen is what the reader will do."""
    rules = Rules({"layoffs": Bounds(lower=0.1, upper=0.9)}, Blend(first=0.25, second=1.5, shift=-0.125), 0.2)
    path = tmp_path / "cascade.toml"
    write_cascade_manifest(path, (tmp_path / "a.toml", tmp_path / "b.toml"), rules)
    manifest = CascadeManifest.model_validate(tomllib.loads(path.read_text()))
    assert (manifest.bounds, manifest.blend, manifest.least_margin) == (rules.bounds, rules.blend, 0.2)
    assert manifest.cheap == tmp_path / "a.toml"
