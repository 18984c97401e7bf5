"""What a page is for, told by words in its URL, the anchors that lead to it and its title.

English, German, French, Italian and Spanish. Words are matched without accents, on separators turned to spaces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from credit_signals.crawl.urls import INDEX_FILE
from credit_signals.domain import PageRole

# Order matters: of two roles with equal weight the first wins, so the rarer and surer words come first.
WORDS: dict[PageRole, str] = {
    PageRole.IMPRINT: (
        r"impressum\w*|imprint|anbieterkennzeichnung|legal notices?|legal disclosures?|mentions? legales?|"
        r"aviso legal|note legali|nota legale|informazioni legali|dati societari|company (?:info|information|details)|"
        r"pflichtangaben|offenlegung|infos? legales?"
    ),
    PageRole.JOBS: (
        r"jobs?|careers?|vacanc(?:y|ies)|work with us|work for us|join (?:us|our team|the team)|recruitment|hiring|"
        r"opportunities|stellen\w*|karriere\w*|jobangebote|offene stellen|ausbildung\w*|bewerb\w+|mitarbeiter gesucht|"
        r"emplois?|carrieres?|recrutement|nous rejoindre|offres? d emploi|lavora con noi|lavoro|posizioni aperte|"
        r"carriera|empleo|trabaja con nosotros|unete|vacantes|ofertas de (?:empleo|trabajo)"
    ),
    PageRole.TEAM: (
        r"(?:our |the |unser |meet the |notre |nuestro |nostro )?teams?|our people|people|staff|^management$|"
        r"management team|leadership|"
        r"board(?: of directors)?|directors|executives?|who we are|ansprechpartner\w*|mitarbeiter|"
        r"unsere mitarbeiter\w*|"
        r"geschaftsfuhrung|geschaeftsfuehrung|vorstand|equipes?|notre equipe|^direction$|dirigeants|chi siamo il team|"
        r"squadra|staff|equipo|quienes somos|direccion|consejo"
    ),
    PageRole.NEWS: (
        r"news\w*|press|press ?releases?|press ?room|media ?centre|blogs?|events?|updates?|announcements?|latest|"
        r"articles?|aktuell\w*|neuigkeit\w*|neues|presse\w*|meldung\w*|veranstaltung\w*|actualites?|actus?|"
        r"communiques?|evenements?|nouvelles|^journal\b|notizie|novita|comunicati\w*|eventi|rassegna stampa|"
        r"noticias|novedades|actualidad|prensa|eventos|sala de prensa"
    ),
    PageRole.LEGAL: (
        r"privacy\w*|cookies?\w*|terms\w*|conditions|gdpr|disclaimers?|accessibility|data protection|datenschutz\w*|"
        r"agb|"
        r"nutzungsbedingungen|widerruf\w*|barrierefreiheit\w*|confidentialite|donnees personnelles|cgv|cgu|rgpd|"
        r"privacidad|proteccion de datos|terminos|condiciones|condizioni|termini|informativa|legal|sitemap"
    ),
    PageRole.CONTACT: (
        r"contacts?|contact us|find us|get in touch|locations?|directions|where we are|kontakt\w*|anfahrt\w*|"
        r"standort\w*|so finden sie uns|contactez nous|nous trouver|nous contacter|^acces$|contatti|contattaci|"
        r"dove siamo|contactos?|contactanos|contactenos|donde estamos|ubicacion"
    ),
    PageRole.ABOUT: (
        r"about\w*|our (?:company|story|history|business|values|mission)|the company|company|history|profile|"
        r"corporate|uber(?: uns)?|ueber ?uns|uberuns|unternehmen\w*|firma|firmenprofil|wir uber uns|wir ueber uns|"
        r"historie|geschichte|philosophie|leitbild|werte|profil|a propos|apropos|qui sommes nous|"
        r"(?:notre |la |l )?(?:entreprise|societe)|notre histoire|histoire|presentation|chi siamo|azienda|l azienda|"
        r"la nostra storia|storia|societa|sobre(?: nosotros)?|nosotros|acerca(?: de)?|empresa|la empresa|historia"
    ),
    PageRole.PRODUCTS: (
        r"products?|services?|solutions?|what we do|our work|portfolio|projects?|range|catalogues?|catalogs?|shop|"
        r"prices?|pricing|menus?|brands?|industries|sectors|case studies|references|clients|produkt\w*|leistung\w*|"
        r"dienstleistung\w*|angebot\w*|losung\w*|loesung\w*|sortiment|projekte\w*|referenzen|preise|speisekarte|"
        r"produits?|prestations?|nos services|realisations|catalogue|tarifs|prodotti|servizi|soluzioni|lavori|"
        r"catalogo|prezzi|realizzazioni|productos?|servicios?|soluciones|proyectos|precios|referencias"
    ),
}
PATTERNS = {role: re.compile(rf"\b(?:{words})\b") for role, words in WORDS.items()}
LANGUAGE_ROOT = re.compile(r"/(?:[a-z]{2}(?:[-_][a-z]{2})?)/?$", re.IGNORECASE)
EXTENSION = re.compile(r"\.(?:html?|php\d?|aspx?|jsp|shtml|cfm)$", re.IGNORECASE)
LAST_SEGMENT, ANCHOR, SEGMENT, TITLE = 4.0, 3.0, 3.5, 1.0
LONG_ANCHOR = 6  # words; a longer anchor is a sentence, not a label


def classify_role(url: str, anchors: Sequence[str] = (), title: str = "") -> PageRole:
    """The role of a page. `anchors`: texts of links that lead to it; a whole-label match outweighs a word inside."""
    path = urlsplit(url).path
    if path in {"", "/"} or LANGUAGE_ROOT.match(path) or INDEX_FILE.fullmatch(path):
        return PageRole.HOME
    scores = dict.fromkeys(PATTERNS, 0.0)
    for text, weight in _texts(path, anchors, title):
        for role, pattern in PATTERNS.items():
            found = pattern.search(text)
            if found:
                # an imprint often shares its page (impressum-datenschutz) and is worth more than its company there
                share = 1.0 if role is PageRole.IMPRINT else len(found.group()) / len(text)
                scores[role] = max(scores[role], weight * (0.6 + 0.4 * share))
    best = max(scores, key=lambda role: scores[role])
    return best if scores[best] > 0 else PageRole.OTHER


def plain_words(text: str) -> str:
    """Lower-case words without accents, single spaces between."""
    decomposed = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss"))
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", " ", bare).strip()


def _texts(path: str, anchors: Sequence[str], title: str) -> list[tuple[str, float]]:
    segments = [plain_words(EXTENSION.sub("", segment)) for segment in unquote(INDEX_FILE.sub("/", path)).split("/")]
    segments = [segment for segment in segments if segment]
    texts: list[tuple[str, float]] = []
    if segments:
        *earlier, last = segments
        # a long last segment is a headline under its folder: /news/our-team-wins-a-prize
        texts.append((last, LAST_SEGMENT if len(last.split()) < LONG_ANCHOR else TITLE))
        texts += [(segment, SEGMENT) for segment in earlier]
    for anchor in anchors[:20]:
        words = plain_words(anchor[:200])
        if words:
            texts.append((words, ANCHOR if len(words.split()) < LONG_ANCHOR else TITLE / 2))
    if title:
        texts.append((plain_words(title[:200]) or "-", TITLE))
    return texts
