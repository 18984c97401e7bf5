"""Which language a section is in."""

import pytest

from credit_signals.sections import detect_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The company closed two of its branches last year and let forty people go.", "en"),
        ("Die Gesellschaft hat im letzten Jahr zwei Filialen geschlossen.", "de"),
        ("L'entreprise a fermé deux de ses agences l'année dernière.", "fr"),
        ("L'azienda ha chiuso due delle sue filiali nell'ultimo anno.", "it"),
        ("La empresa cerró dos de sus sucursales el año pasado.", "es"),
        ("Het bedrijf heeft vorig jaar twee van zijn vestigingen gesloten.", "nl"),
    ],
)
def test_languages_are_told_without_a_hint(text: str, language: str) -> None:
    """A plain sentence is enough."""
    assert detect_language(text, "") == language


def test_short_text_is_what_the_page_declares() -> None:
    """Two words tell nothing; the page's own word counts."""
    assert detect_language("Info Team", "fr-FR") == "fr"
    assert detect_language("Info Team", "") == ""


def test_a_wrong_declaration_is_overruled_by_a_clear_text() -> None:
    """Templates often keep the language of their maker."""
    text = "Die Gesellschaft hat im letzten Jahr zwei Filialen geschlossen und vierzig Mitarbeiter entlassen. " * 3
    assert detect_language(text, "en-US") == "de"


@pytest.mark.parametrize("hint", ["", "x", "zz-ZZ", "👍", "-"])
def test_any_hint_is_taken(hint: str) -> None:
    """Declarations that mean nothing do no harm."""
    assert detect_language("12345 !!", hint) == ""
