"""From what a site tells to conversations: questions, grounded answers, and the pages they are asked over."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from credit_signals.domain import GraphNode, PageRole, Section
from credit_signals.tuning.labelling.replies import Code
from credit_signals.tuning.questions.answer_form import NOT_STATED, GroundedAnswer
from credit_signals.tuning.questions.grounds import (
    ActivityGround,
    CompanyView,
    FactGround,
    Ground,
    PageGround,
    Quoted,
    SignalGround,
    find_grounds,
)
from credit_signals.tuning.questions.templates import Templates

PASSAGE_CHARACTERS = 900  # of a section that is shown; more of it is left out, in whole sentences
MOST_PAGES = 40  # in the list of a site's pages
ROUNDING = 1e-9  # 10 * 0.4 / 1.0 is 4, whatever floats make of it

Kind = Literal["single", "follow-up", "unanswerable"]
KINDS: tuple[Kind, ...] = ("single", "follow-up", "unanswerable")


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer."""

    question: str
    answer: GroundedAnswer


@dataclass(frozen=True, slots=True)
class Conversation:
    """Questions over what is shown. `topic` names what it is about: fact, signal, activity or page, and which."""

    kind: Kind
    domain: str
    topic: str
    shown: str
    turns: tuple[Turn, ...]


def spin(view: CompanyView, templates: Templates, passages: int, seed: int) -> Iterator[Conversation]:
    """Every conversation that a company gives: each ground alone and with follow-ups, and what is not told.

    `passages` sections are shown with a question, the one that answers it among them. Deterministic for a seed.
    A question that holds its own answer is left out.
    """
    codes = sorted(str(code) for code in templates.signals.about)
    grounds = find_grounds(view, sorted(templates.facts), codes, sorted(templates.pages))
    spinner = _Spinner(view, templates, passages, seed)
    for ground in grounds.told:
        yield from spinner.told(ground)
    absent = [("fact", key) for key in sorted(grounds.absent_facts)]
    absent += [("signal", code) for code in sorted(grounds.absent_codes)]
    absent += [("page", str(role)) for role in sorted(grounds.absent_roles)]
    for sort, name in absent:
        yield from spinner.absent(sort, name)


class _Spinner:
    def __init__(self, view: CompanyView, templates: Templates, passages: int, seed: int) -> None:
        self._view = view
        self._templates = templates
        self._passages = passages
        self._seed = seed

    def told(self, ground: Ground) -> Iterator[Conversation]:
        """A single question, and the same with follow-ups."""
        topic = _topic(ground)
        for kind in KINDS[:2]:
            dice = self._dice(kind, topic)
            turns = [self._first(ground, dice), *(self._follow_ups(ground, dice) if kind == "follow-up" else ())]
            kept = tuple(turn for turn in turns[1:] if not leaks(turn))
            if not leaks(turns[0]) and (kind == "single" or kept):
                shown = self._list() if isinstance(ground, PageGround) else self._around(ground, dice)
                yield Conversation(kind, self._view.company.domain, topic, shown, (turns[0], *kept))

    def absent(self, sort: str, name: str) -> Iterator[Conversation]:
        """A question that what is shown does not answer, if there is such text."""
        topic = f"{sort}/{name}"
        dice = self._dice("unanswerable", topic)
        templates, about = self._templates, ""
        hints: tuple[str, ...] = ()
        if sort == "page":
            questions, shown = templates.pages[PageRole(name)], self._list()
        elif sort == "signal":
            about = templates.signals.about[Code(name)]
            questions, shown = templates.signals.questions, self._sections(None, dice)
        else:
            questions, hints = templates.facts[name].questions, templates.facts[name].hints
            shown = self._sections(None, dice)
        if not any(re.search(rf"(?<!\w){re.escape(hint)}", shown.casefold()) for hint in hints):
            turn = Turn(self._asked(questions, dice, about), GroundedAnswer(NOT_STATED))
            yield Conversation("unanswerable", self._view.company.domain, topic, shown, (turn,))

    def _dice(self, kind: Kind, topic: str) -> random.Random:
        """Chance that depends on nothing but the seed and what is asked."""
        return random.Random(f"{self._seed}/{self._view.company.domain}/{kind}/{topic}")  # noqa: S311  # no secret

    def _asked(self, questions: Sequence[str], dice: random.Random, about: str = "") -> str:
        company = self._view.company
        return dice.choice(questions).format(company=company.name, domain=company.domain, about=about)

    def _first(self, ground: Ground, dice: random.Random) -> Turn:
        """The question that opens a conversation."""
        templates = self._templates
        if isinstance(ground, PageGround):
            url = ground.node.url
            return Turn(self._asked(templates.pages[ground.node.role], dice), GroundedAnswer(url, page=url))
        if isinstance(ground, FactGround):
            questions, said, about = templates.facts[ground.fact.key].questions, ground.fact.value, ""
        elif isinstance(ground, ActivityGround):
            questions, said, about = templates.activity.questions, ground.activity.title, ""
        else:
            signals = templates.signals
            questions, about = signals.questions, signals.about[Code(ground.signal.code)]
            said = signals.said[ground.signal.stance]
        return Turn(self._asked(questions, dice, about), _grounded(said, ground.quoted))

    def _follow_ups(self, ground: Ground, dice: random.Random) -> Iterator[Turn]:
        """What may be asked after the first question, some of it, in any order; each leans on what was said before."""
        found = list(self._possible(ground, dice))
        yield from dice.sample(found, dice.randint(1, len(found)))

    def _possible(self, ground: Ground, dice: random.Random) -> Iterator[Turn]:
        asks = self._templates.follow_ups
        if isinstance(ground, PageGround):
            clicks = GroundedAnswer(str(ground.node.depth), page=ground.node.url)
            yield Turn(self._asked(asks.clicks.questions, dice), clicks)
            return
        quoted = ground.quoted
        yield Turn(self._asked(asks.page.questions, dice), _grounded(quoted.section.url, quoted))
        if quoted.section.published:
            yield Turn(self._asked(asks.date.questions, dice), _grounded(quoted.section.published, quoted))
        if isinstance(ground, ActivityGround):
            yield Turn(
                self._asked(self._templates.activity.code_questions, dice), _grounded(ground.activity.code, quoted)
            )
        if isinstance(ground, SignalGround):
            stance, subject = asks.stance.said[ground.signal.stance], asks.subject.said[ground.signal.subject]
            yield Turn(self._asked(asks.stance.questions, dice), _grounded(stance, quoted))
            yield Turn(self._asked(asks.subject.questions, dice), _grounded(subject, quoted))

    def _around(self, ground: FactGround | SignalGround | ActivityGround, dice: random.Random) -> str:
        """The section that is quoted, among others that do not tell the same, so that the quote is the answer."""
        also: set[str] = set()
        if isinstance(ground, FactGround):
            value = _words(ground.fact.value)
            also = {section.id for section in self._view.sections if value in _words(section.text)}
        elif isinstance(ground, SignalGround):
            same = [each for each in self._view.signals if each.code == ground.signal.code]
            also = {each.evidence.section_id for each in same}
        return self._sections(ground.quoted, dice, also)

    def _sections(self, quoted: Quoted | None, dice: random.Random, but: Set[str] = frozenset()) -> str:
        """Sections of the site in any order, the one that is quoted among them, without those of some ids."""
        kept = but | {quoted.section.id} if quoted else but
        others = [each for each in self._view.sections if each.id not in kept]
        wanted = self._passages - (quoted is not None)
        shown = [_passage(section, None) for section in dice.sample(others, min(wanted, len(others)))]
        if quoted:
            shown.insert(dice.randint(0, len(shown)), _passage(quoted.section, quoted))
        return "\n\n".join(shown)

    def _list(self) -> str:
        """The pages of the site as the domain graph has them."""
        anchors = {edge.target: edge.anchor for edge in reversed(self._view.graph.edges) if edge.anchor}
        nodes = sorted(self._view.graph.nodes, key=lambda node: (node.depth, -node.rank, node.url))[:MOST_PAGES]
        lines = [_page_line(node, anchors.get(node.url, "")) for node in nodes]
        return "\n".join(["The pages of the site:", *lines])


def _page_line(node: GraphNode, anchor: str) -> str:
    told = [f'"{node.title}"'] if node.title else []
    told += [f'linked as "{anchor}"'] if anchor else []
    return "- " + ", ".join([node.url, *told, f"links from the home page: {node.depth}"])


def _passage(section: Section, quoted: Quoted | None) -> str:
    """The section's page, heading and text; of long text the sentences around the quote, or the first ones."""
    text = section.text
    if len(text) > PASSAGE_CHARACTERS:
        start, end = (quoted.start, quoted.end) if quoted else (0, 0)
        ends = [each for each in section.sentences if each.end - start <= PASSAGE_CHARACTERS]
        text = text[start : max([end, *(each.end for each in ends)])]
    heading = f"\nHeading: {' > '.join(section.heading_path)}" if section.heading_path else ""
    published = f"\nPublished: {section.published}" if section.published else ""
    return f"Page: {section.url}{heading}{published}\n{text}"


def _topic(ground: Ground) -> str:
    if isinstance(ground, FactGround):
        return f"fact/{ground.fact.key}"
    if isinstance(ground, SignalGround):
        return f"signal/{ground.signal.code}"
    return "activity/NACE2" if isinstance(ground, ActivityGround) else f"page/{ground.node.role}"


def _grounded(said: str, quoted: Quoted) -> GroundedAnswer:
    return GroundedAnswer(said, quoted.text, quoted.section.url)


def leaks(turn: Turn) -> bool:
    """Whether the question holds what its answer says, or the quote."""
    question = _words(turn.question)
    return any(_words(part) in question for part in (turn.answer.said, turn.answer.quote) if _words(part).strip())


def _words(text: str) -> str:
    """Words in lower case with a blank at each end, so that only whole words are found in others."""
    found = re.findall(r"[^\W_]+", text.casefold())
    return f" {' '.join(found)} "


def mixed(
    conversations: Iterable[Conversation], shares: dict[Kind, float], count: int, seed: int
) -> list[Conversation]:
    """Conversations drawn so that their kinds have these shares; as many as there are, `count` at most (0: all).

    The kind that runs out first ends the draw. Kinds with a share of 0 are left out.
    """
    pools: dict[Kind, list[Conversation]] = {kind: [] for kind in KINDS if shares[kind] > 0}
    for each in conversations:
        if each.kind in pools:
            pools[each.kind].append(each)
    total = sum(shares[kind] for kind in pools)
    most = min((len(pool) * total / shares[kind] for kind, pool in pools.items()), default=0)
    size = min(most, count) if count else most
    drawn: list[Conversation] = []
    for kind, pool in pools.items():
        random.Random(f"{seed}/{kind}").shuffle(pool)  # noqa: S311  # an order, not a secret
        drawn += pool[: int(size * shares[kind] / total + ROUNDING)]
    random.Random(f"{seed}/all").shuffle(drawn)  # noqa: S311
    return drawn
