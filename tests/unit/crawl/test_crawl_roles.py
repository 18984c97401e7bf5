"""Roles of pages in five languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.crawl import classify_role
from credit_signals.domain import PageRole


@pytest.mark.parametrize(
    ("path", "anchor", "role"),
    [
        ("/", "", "home"), ("/index.html", "", "home"), ("/de/", "", "home"), ("/en-gb", "", "home"),
        ("/about-us", "", "about"), ("/ueber-uns.html", "", "about"), ("/über-uns", "", "about"),
        ("/qui-sommes-nous", "", "about"), ("/chi-siamo", "", "about"), ("/sobre-nosotros", "", "about"),
        ("/unternehmen/", "", "about"), ("/our-team", "", "team"),
        ("/equipe", "", "team"), ("/ansprechpartner", "", "team"),
        ("/quienes-somos", "", "team"), ("/p?id=7", "Unser Team", "team"),
        ("/news", "", "news"), ("/aktuelles/", "", "news"), ("/news/2024/our-team-wins-a-big-prize", "", "news"),
        ("/actualités", "", "news"), ("/notizie", "", "news"), ("/noticias", "", "news"), ("/blog/a", "", "news"),
        ("/careers", "", "jobs"), ("/karriere/stellenangebote", "", "jobs"), ("/recrutement", "", "jobs"),
        ("/lavora-con-noi", "", "jobs"), ("/trabaja-con-nosotros", "", "jobs"),
        ("/impressum.php", "", "imprint"), ("/mentions-legales", "", "imprint"), ("/aviso-legal", "", "imprint"),
        ("/note-legali", "", "imprint"), ("/seite12", "Impressum", "imprint"),
        ("/impressum-datenschutz", "", "imprint"),
        ("/datenschutz", "", "legal"), ("/privacy-policy", "", "legal"), ("/agb", "", "legal"), ("/cgv", "", "legal"),
        ("/products/widget", "", "products"), ("/leistungen", "", "products"), ("/servizi", "", "products"),
        ("/facility-management", "", "other"), ("/contact", "", "contact"), ("/kontakt", "", "contact"),
        ("/contatti", "", "contact"), ("/nous-contacter", "", "contact"), ("/xyz", "", "other"),
    ],
)  # fmt: skip
def test_roles(path: str, anchor: str, role: str) -> None:
    """Words in the path or the link's label tell the role."""
    assert classify_role(f"https://acme.example{path}", [anchor] if anchor else []) == role


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=3), st.text(max_size=80))
def test_any_text_has_a_role(path: str, anchors: list[str], title: str) -> None:
    """No text breaks the classification."""
    assert classify_role(f"https://acme.example/{path.replace('[', '')}", anchors, title) in PageRole
