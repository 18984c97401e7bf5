"""Activity codes told at each depth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from credit_signals.domain import FoundActivity
from credit_signals.errors import ConfigurationError
from credit_signals.tuning.evaluation.activity_baseline import guess_activities
from credit_signals.tuning.evaluation.activity_figures import (
    DEPTHS,
    ActivityFigures,
    Description,
    load_descriptions,
    measure_activities,
)

TRAINING = Path(__file__).parents[4] / "workers/section_reader/training/activity_phrases.jsonl"


def naics(code: str, probability: float) -> FoundActivity:
    """A candidate of NAICS."""
    return FoundActivity(scheme="NAICS2022", code=code, probability=probability)


def first(figures: ActivityFigures, scheme: str, name: str) -> tuple[float, float]:
    """Top-1 and top-3 of a depth."""
    (each,) = [one for one in figures.depths if (one.depth.scheme, one.depth.name) == (scheme, name)]
    return each.first[1].value, each.first[3].value


def test_each_depth_is_judged_by_itself() -> None:
    """A sibling is right at the sector and wrong below; what is among the first three counts as top-3."""
    bakery = Description(id="a", text="We bake bread.", naics2022="311811")
    told = [naics("445", 0.5), naics("311", 0.4), naics("3118", 0.4), naics("4452", 0.5), naics("4451", 0.3)]
    found = measure_activities("r", [bakery], [told], {}, seed=1)
    assert first(found, "NAICS2022", "3 digits") == (0.0, 1.0)
    assert first(found, "NAICS2022", "4 digits") == (0.0, 1.0)
    assert first(found, "NAICS2022", "sector") == (0.0, 1.0)
    assert not [each for each in found.depths if each.depth.scheme == "NACE2"]


def test_sectors_sum_their_members() -> None:
    """Three divisions of manufacturing outweigh one of trade, though each is less probable."""
    item = Description(id="a", text="We make things.", naics2022="332")
    told = [naics("445", 0.4), naics("332", 0.2), naics("333", 0.2), naics("311", 0.2)]
    found = measure_activities("r", [item], [told], {}, seed=1)
    assert first(found, "NAICS2022", "sector") == (1.0, 1.0)
    assert first(found, "NAICS2022", "3 digits") == (0.0, 1.0)


def test_a_code_is_not_judged_deeper_than_it_is_known() -> None:
    """A description whose division is known counts for divisions and sections, for nothing below."""
    item = Description(id="a", text="We make things.", nace2="25")
    told = [FoundActivity(scheme="NACE2", code="25", probability=0.9)]
    found = measure_activities("r", [item, item.model_copy(update={"id": "b"})], [told, []], {}, seed=1)
    assert [(each.depth.name, each.texts) for each in found.depths] == [("section", 2), ("2 digits", 2)]
    assert first(found, "NACE2", "2 digits") == (0.5, 0.5)
    assert found.hierarchical["NACE2"].value == pytest.approx(2 * 2 / (2 + 2 + 2 + 0))


def test_hierarchical_f1_rewards_the_near_miss() -> None:
    """A sibling shares its ancestors with the right code, a stranger none."""
    item = Description(id="a", text="We bake bread.", naics2022="311811")
    near, far = [naics("311812", 0.9)], [naics("541110", 0.9)]
    values = [measure_activities("r", [item], [told], {}, 1).hierarchical["NAICS2022"].value for told in (near, far)]
    assert values == [pytest.approx(0.8), 0.0]


def test_the_baseline_knows_what_its_titles_say() -> None:
    """It guesses at sections, sectors and the first level below, and is compared there."""
    texts = ["Bakeries and manufacturing of bread", "Offices of lawyers"]
    guesses = guess_activities(texts, TRAINING)
    assert {(depth.scheme, depth.name) for depth in guesses} == {
        ("NAICS2022", "sector"), ("NAICS2022", "3 digits"), ("NACE2", "section"), ("NACE2", "2 digits"),
    }  # fmt: skip
    items = [Description(id=text, text=text, naics2022=code) for text, code in zip(texts, ("311", "541"), strict=True)]
    found = measure_activities("r", items, [[], []], guesses, seed=1)
    assert {each.depth.name: each.baseline.value for each in found.depths if each.baseline} == {
        "sector": 1.0,
        "3 digits": 1.0,
    }


def test_depths_find_their_code() -> None:
    """A code is cut to each depth, or is not so deep."""
    code = "311811"
    assert [each.of(code) for each in DEPTHS[:5]] == ["31-33", "311", "3118", "31181", "311811"]
    assert [each.of("31-33") for each in DEPTHS[:2]] == ["31-33", ""]
    assert [each.of("25.1") for each in DEPTHS[5:]] == ["C", "25", "25.1", ""]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{}", "line 1: not a description: id"),
        ('{"id": "a", "text": "x"}', "neither naics2022 nor nace2"),
        ('{"id": "a", "text": "x", "nace2": "99.99"}', "no code '99.99'"),
    ],
)
def test_wrong_descriptions_are_named(tmp_path: Path, line: str, message: str) -> None:
    """A line that is wrong is named with its file, also a code that the scheme does not have."""
    path = tmp_path / "d.jsonl"
    path.write_text(line)
    with pytest.raises(ConfigurationError, match=message):
        load_descriptions([path])


def test_descriptions_are_read(tmp_path: Path) -> None:
    """Further keys are left alone."""
    path = tmp_path / "d.jsonl"
    path.write_text(json.dumps({"id": "a", "text": "x", "nace2": "25", "name": "b"}) + "\n\n")
    assert [each.nace2 for each in load_descriptions([path])] == ["25"]
