"""Facts that imprints state. The companies are invented; their numbers have right check digits."""

import pytest

from credit_signals.domain import Link, Page, PageRole, SiteFact, now
from credit_signals.sections import drop_repeats, find_site_facts, split_page


def page(html: str, role: PageRole = PageRole.IMPRINT, name: str = "impressum", lang: str = "de") -> Page:
    """A page, by default a German imprint."""
    url = f"https://firm.example/{name}"
    return Page(id=url, company_id="c", url=url, html=html, depth=1, role=role, html_lang=lang, fetched_at=now())


def facts_of(*pages: Page, country: str = "") -> list[SiteFact]:
    """The facts of a site of these pages."""
    sections, _ = drop_repeats([split_page(each) for each in pages])
    return find_site_facts(pages, sections, country)


def values(facts: list[SiteFact]) -> dict[str, list[str]]:
    """Values by key."""
    found: dict[str, list[str]] = {}
    for fact in facts:
        found.setdefault(fact.key, []).append(fact.value)
    return found


def test_german_imprint() -> None:
    """All that § 5 DDG demands is found, in whichever markup; the fax is not a phone."""
    found = values(
        facts_of(
            page(
                "<h1>Impressum</h1><h2>Angaben gemäß § 5 DDG</h2><p>Nordlicht Metallbau GmbH &amp; Co. KG<br>"
                "Hafenstr. 12a<br>24103 Kiel</p><p>Vertreten durch:<br>Dr. Anna Petersen und Jens-Uwe von Holt</p>"
                "<p>Registergericht: Amtsgericht Kiel<br>Registernummer: HRA 4711 KI</p>"
                "<p>USt\u2011IdNr.: DE 136695976</p>"
                "<p>Telefon: 0431 / 55 66 77<br>Telefax: 0431 / 55 66 78<br>"
                "E-Mail: info (at) nordlicht (dot) example</p>"
            ),
            country="DE",
        )
    )
    assert found == {
        "legal_name": ["Nordlicht Metallbau GmbH & Co. KG"],
        "address": ["Hafenstr. 12a, 24103 Kiel"],
        "managing_director": ["Dr. Anna Petersen", "Jens-Uwe von Holt"],
        "register_court": ["Amtsgericht Kiel"],
        "register_number": ["HRA 4711 KI"],
        "vat_id": ["DE136695976"],
        "phone": ["0431 / 55 66 77"],
        "email": ["info@nordlicht.example"],
    }


def test_german_imprint_in_a_table() -> None:
    """Labels and values in cells belong together; a street is not a person."""
    found = values(
        facts_of(
            page(
                "<h1>Impressum</h1><p>Inhaberin: Petra Sommer<br>Am Markt 3, 80331 München</p><table><tr>"
                "<td>Handelsregister</td><td>AG München HRB 123987</td></tr><tr><td>Geschäftsführer</td>"
                "<td>Karl Ott, Eva Lang</td></tr></table>"
            )
        )
    )
    assert found["managing_director"] == ["Petra Sommer", "Karl Ott", "Eva Lang"]
    assert found["register_court"] == ["Amtsgericht München"]
    assert found["register_number"] == ["HRB 123987"]
    assert found["address"] == ["Am Markt 3, 80331 München"]


def test_austrian_imprint() -> None:
    """FN number, court and UID of Austria."""
    found = values(
        facts_of(
            page(
                "<h1>Impressum</h1><p>Alpenholz GmbH, Bahnhofstraße 7, A-6020 Innsbruck<br>FN 123456a, Landesgericht "
                "Innsbruck<br>UID: ATU13585627<br>Geschäftsführerin: Maria Huber</p>"
            )
        )
    )
    assert found["register_number"] == ["FN 123456a"]
    assert found["register_court"] == ["Landesgericht Innsbruck"]
    assert found["vat_id"] == ["ATU13585627"]
    assert found["managing_director"] == ["Maria Huber"]
    assert found["address"] == ["Bahnhofstraße 7, A-6020 Innsbruck"]


def test_uk_footer() -> None:
    """Company number, registered office and VAT number in one line of a footer."""
    found = values(
        facts_of(
            page(
                "<p>Welcome to our joinery.</p><footer>© 2019-2024 Larch &amp; Sons Joinery Ltd. Registered in England "
                "and Wales No. 08412345. Registered office: 4 Mill Lane, Kendal, LA9 4QB. VAT no: GB 125 1544 42. "
                "Tel: 01539 555 123</footer>",
                PageRole.HOME,
                "",
                "en",
            ),
            country="GB",
        )
    )
    assert found == {
        "legal_name": ["Larch & Sons Joinery Ltd"],
        "register_number": ["08412345"],
        "register_court": ["England and Wales"],
        "address": ["4 Mill Lane, Kendal LA9 4QB"],
        "vat_id": ["GB125154442"],
        "phone": ["01539 555 123"],
    }


def test_french_legal_notice_leaves_the_host_out() -> None:
    """SIREN and RCS are checked; the hosting company's address is not the company's."""
    found = values(
        facts_of(
            page(
                "<h1>Mentions légales</h1><p>Menuiserie Lafont SARL au capital de 10 000 €<br>12 rue des Lilas, 69003 "
                "Lyon<br>RCS Lyon 732 829 320<br>TVA : FR 44 732829320<br>Gérante : Sophie Lafont</p>"
                "<p>Hébergeur : OVH SAS, 2 rue Kellermann, 59100 Roubaix</p>",
                PageRole.LEGAL,
                "mentions-legales",
                "fr",
            ),
            country="FR",
        )
    )
    assert found == {
        "legal_name": ["Menuiserie Lafont SARL"],
        "address": ["12 rue des Lilas, 69003 Lyon"],
        "register_court": ["RCS Lyon"],
        "register_number": ["732829320"],
        "vat_id": ["FR44732829320"],
        "managing_director": ["Sophie Lafont"],
    }


def test_italian_and_spanish_notices() -> None:
    """Partita IVA, REA and CIF."""
    italian = values(
        facts_of(
            page(
                "<h1>Note legali</h1><p>Officine Bianchi S.r.l. - Via Garibaldi, 14 - 20121 Milano (MI)<br>"
                "P.IVA 08095160969 - REA MI-1234567<br>Amministratore unico: Luca Bianchi</p>",
                lang="it",
            ),
            country="IT",
        )
    )
    assert italian["vat_id"] == ["IT08095160969"]
    assert italian["register_number"] == ["REA MI-1234567"]
    assert italian["legal_name"] == ["Officine Bianchi S.r.l."]
    spanish = values(
        facts_of(
            page(
                "<h1>Aviso legal</h1><p>Talleres Ruiz, S.L.<br>C/ Mayor, 5, 28013 Madrid<br>CIF: B58378431</p>",
                lang="es",
            )
        )
    )
    assert spanish["vat_id"] == ["ESB58378431"]
    assert spanish["address"] == ["C/ Mayor, 5, 28013 Madrid"]


@pytest.mark.parametrize("number", ["DE123456789", "DE 136 695 977", "GB 123 4567 89"])
def test_vat_ids_with_wrong_check_digits_are_not_facts(number: str) -> None:
    """Examples and typing errors do not become the company's VAT id."""
    assert "vat_id" not in values(facts_of(page(f"<h1>Impressum</h1><p>USt-IdNr. / VAT: {number}</p>")))


def test_an_unfilled_template_gives_no_facts_but_a_fault() -> None:
    """Max Mustermann leads no company: the imprint is missing."""
    facts = facts_of(
        page(
            "<h1>Impressum</h1><p>Max Mustermann<br>Musterweg 1<br>12345 Musterstadt</p><p>Vertreten durch:"
            "<br>Max Muster"
            "<br>Petra Sommer</p><p>Telefon: 01234-789456<br>E-Mail: max@muster.de</p>"
        ),
        country="DE",
    )
    assert [(fact.key, fact.value) for fact in facts] == [("missing_imprint", "unfilled template")]


def test_missing_imprint_is_a_fault_only_where_one_is_demanded() -> None:
    """DE, AT and CH demand an imprint; elsewhere, or where it is linked but was not fetched, nothing is said."""
    home = page("<p>Willkommen bei uns, wir bauen Türen aus Holz.</p>", PageRole.HOME, "")
    assert values(facts_of(home, country="AT")) == {"missing_imprint": ["no imprint page found"]}
    assert values(facts_of(home)) == {"missing_imprint": ["no imprint page found"]}  # told by its language
    assert facts_of(home, country="GB") == []
    linked = home.model_copy(update={"links": (Link(url="https://firm.example/recht", anchor="Impressum"),)})
    assert facts_of(linked, country="DE") == []


def test_json_ld_organisations_are_read_however_nested() -> None:
    """@graph, arrays, type lists, nested addresses; other organisations under brand or review are left out."""
    found = values(
        facts_of(
            page(
                """<p>Hello to you.</p><script type="application/ld+json">[{"@graph": [{"@type": ["LocalBusiness"],
                "legalName": "Larch Joinery Ltd", "address": {"streetAddress": "4 Mill Lane", "postalCode": "LA9 4QB",
                "addressLocality": "Kendal"}, "vatID": "GB125154442", "telephone": "+44 1539 555123",
                "foundingDate": "1990-05-01", "brand": {"@type": "Organization", "legalName": "Other plc"},
                "contactPoint": [{"email": "mailto:hello@larch.example"}],}]}]</script>""",
                PageRole.HOME,
                "",
            ),
            country="GB",
        )
    )
    assert found == {
        "legal_name": ["Larch Joinery Ltd"],
        "address": ["4 Mill Lane, LA9 4QB Kendal"],
        "vat_id": ["GB125154442"],
        "phone": ["+44 1539 555123"],
        "founded": ["1990"],
        "email": ["hello@larch.example"],
    }


@pytest.mark.parametrize(
    "broken", ["{", '{"@type":"Organization","name":', "[" * 100_000, "null", '"text"', "NaN", "{}"]
)
def test_broken_json_ld_is_passed_over(broken: str) -> None:
    """What cannot be parsed is no error and no fact."""
    markup = f'<p>Hi there.</p><script type="application/ld+json">{broken}</script>'
    assert facts_of(page(markup, PageRole.HOME, ""), country="GB") == []


def test_privacy_pages_name_other_companies() -> None:
    """The addresses of authorities and processors in a privacy page are not the company's."""
    privacy = page(
        "<h1>Datenschutz</h1><p>Cloudfirma Ireland Limited, Registered No. 368047, 4 Barrow Lane, Dublin</p>"
        "<p>Behörde, Hauptstr. 1, 10115 Berlin, Tel. 030 1234567</p>",
        PageRole.LEGAL,
        "datenschutz",
    )
    assert facts_of(privacy, country="GB") == []


@pytest.mark.parametrize(
    "markup",
    [
        '<body itemscope itemtype="http://schema.org/WebPage"><div itemscope itemtype="https://schema.org/LocalBusiness">'
        '<b itemprop="legalName">Larch Joinery Ltd</b><p itemprop="address" itemscope itemtype="https://schema.org/'
        'PostalAddress"><i itemprop="streetAddress">4 Mill Lane</i><i itemprop="addressLocality">Kendal</i>'
        '<i itemprop="postalCode">LA9 4QB</i></p><a itemprop="telephone" href="tel:+441539555123">01539 555123</a>'
        '<p itemprop="review" itemscope itemtype="https://schema.org/Review"><i itemprop="legalName">Other Ltd</i></p>',
        '<div vocab="https://schema.org/" typeof="LocalBusiness"><b property="legalName">Larch Joinery Ltd</b>'
        '<p property="address" typeof="PostalAddress"><i property="streetAddress">4 Mill Lane</i><i property='
        '"addressLocality">Kendal</i><i property="postalCode">LA9 4QB</i></p>'
        '<a property="schema:telephone">01539 555123</a>',
    ],
    ids=["microdata", "RDFa Lite"],
)
def test_microdata_and_rdfa(markup: str) -> None:
    """Items in markup are read like JSON-LD, wherever they are nested; what a review names is another's."""
    found = facts_of(page(f"<html>{markup}</html>", PageRole.HOME, "", "en"), country="GB")
    assert values(found) == {
        "legal_name": ["Larch Joinery Ltd"],
        "address": ["4 Mill Lane, LA9 4QB Kendal"],
        "phone": ["01539 555123"],
    }
    assert {fact.source for fact in found} == {"microdata"}


def test_hostile_items_are_bounded() -> None:
    """Thousands of nested items are read in bounded time and raise nothing."""
    nested = '<div itemscope itemtype="https://schema.org/Organization"><i itemprop="name">A</i>' * 3_000
    facts_of(page(f"<p>Hi there.</p>{nested}", PageRole.HOME, "", "en"), country="GB")


def test_addresses_without_the_company() -> None:
    """A company's name before its address is no part of it."""
    footer = "<footer>Stanwick Bridge, by the yard, Larch Joinery Ltd, 4 Mill Lane, Kendal, LA9 4QB</footer>"
    found = values(facts_of(page(f"<p>Welcome to us.</p>{footer}", PageRole.HOME, "", "en"), country="GB"))
    assert found["address"] == ["4 Mill Lane, Kendal LA9 4QB"]


def test_mails_of_the_site_itself_are_found_on_any_page() -> None:
    """A mail address under the site's own domain is the company's; others in prose may be anybody's."""
    prose = page("<p>Write to jobs@firm.example or to bob@other.example.</p>", PageRole.JOBS, "jobs", "en")
    assert values(facts_of(prose, country="GB")) == {"email": ["jobs@firm.example"]}
