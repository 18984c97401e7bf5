"""Signals: one per statement, followed from run to run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from credit_signals.domain import FoundSignal, PageRole, Prediction, Section, Sentence, Signal, Stance, Subject
from credit_signals.scoring import find_signals, find_unsure, follow_signals

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
HOME, NEWS = "https://acme.example/", "https://acme.example/news/2026"


def section(url: str, *sentences: str) -> Section:
    """A section of these sentences."""
    text = " ".join(sentences)
    places, at = [], 0
    for number, sentence in enumerate(sentences, 1):
        places.append(Sentence(number=number, start=at, end=at + len(sentence)))
        at += len(sentence) + 1
    return Section.build(company_id="acme", url=url, role=PageRole.NEWS, text=text, sentences=tuple(places))


def prediction(of: Section, *found: FoundSignal) -> Prediction:
    """What a reader says of a section."""
    return Prediction(task_id=of.id, content_hash=of.content_hash, reader_id="r", signals=found, read_at=START)


def found(code: str = "layoffs", sentence: int = 1, confidence: float = 0.8) -> FoundSignal:
    """A signal of the company that occurred."""
    return FoundSignal(
        code=code,
        sentence=sentence,
        stance=Stance.OCCURRED,
        subject=Subject.COMPANY,
        severity=2,
        confidence=confidence,
    )


def signals_of(*parts: tuple[Section, FoundSignal], at: datetime = START) -> list[Signal]:
    """Signals of sections with one finding each."""
    predictions = {part.content_hash: prediction(part, finding) for part, finding in parts}
    return find_signals("acme", [part for part, _ in parts], predictions, at)


def test_evidence_is_verbatim() -> None:
    """The quote is exactly the stored text at its offsets."""
    of = section(NEWS, "We had a good année, mostly.", "We cut 40 jobs 😢 in Leeds.")
    (signal,) = signals_of((of, found(sentence=2)))
    evidence = signal.evidence
    assert evidence.quote == "We cut 40 jobs 😢 in Leeds." == of.text[evidence.start : evidence.end]
    assert (evidence.section_id, evidence.sentences, evidence.url) == (of.id, (2,), NEWS)


def test_one_statement_on_several_pages_is_one_signal() -> None:
    """Spacing, case and the closing mark do not make another statement; the surest reading is the evidence."""
    on_home = section(HOME, "we cut  40 jobs", "Home page.")
    on_news = section(NEWS, "We cut 40 jobs.", "News page.")
    (signal,) = signals_of((on_home, found(confidence=0.7)), (on_news, found(confidence=0.9)))
    assert signal.confidence == 0.9
    assert signal.evidence.url == NEWS


def test_another_code_or_stance_is_another_signal() -> None:
    """A sentence that states two things gives two signals."""
    of = section(NEWS, "We close Leeds and cut 40 jobs.")
    predictions = {of.content_hash: prediction(of, found("layoffs"), found("site_closure"))}
    assert {signal.code for signal in find_signals("acme", [of], predictions, START)} == {"layoffs", "site_closure"}


def test_findings_without_a_sentence_or_a_known_code_are_left_out() -> None:
    """No evidence, no signal; and only codes of the taxonomy count."""
    of = section(NEWS, "We cut 40 jobs.")
    predictions = {of.content_hash: prediction(of, found(sentence=7), found("astrology"))}
    assert find_signals("acme", [of], predictions, START) == []


def test_what_a_reader_is_unsure_of_is_no_signal() -> None:
    """Unsure statements are told apart from signals, one per code and words, whatever page they stand on."""
    pages = [section(NEWS, "We cut 40 jobs.", "More."), section(HOME, "we cut  40 jobs", "Else.")]
    unsure = (found(), found("hiring", sentence=9))
    predictions = {page.content_hash: prediction(page).model_copy(update={"unsure": unsure}) for page in pages}
    assert find_signals("acme", pages, predictions, START) == []
    assert find_unsure(pages, predictions) == {("layoffs", "we cut 40 jobs")}


def test_a_statement_that_became_unsure_is_not_withdrawn() -> None:
    """It still stands on its page; only the reader's mind changed."""
    before = signals_of((section(NEWS, "We cut 40 jobs."), found()), (section(NEWS, "We shut Leeds."), found()))
    joined = follow_signals(before, [], {NEWS}, START + DAY, {("layoffs", "we cut 40 jobs")})
    standing = [signal.evidence.quote for signal in joined if signal.withdrawn_at is None]
    assert standing == ["We cut 40 jobs."]


def test_a_signal_found_again_keeps_when_it_was_first_seen() -> None:
    """`first_seen` stays, `last_seen` moves."""
    of = section(NEWS, "We cut 40 jobs.")
    before, after = signals_of((of, found())), signals_of((of, found()), at=START + DAY)
    (signal,) = follow_signals(before, after, {NEWS}, START + DAY)
    assert (signal.first_seen, signal.last_seen, signal.withdrawn_at) == (START, START + DAY, None)


def test_a_statement_is_withdrawn_only_when_its_page_was_checked_or_is_gone() -> None:
    """A page that was not reached this time withdraws nothing."""
    before = signals_of((section(NEWS, "We cut 40 jobs."), found()))
    then = START + DAY
    assert follow_signals(before, [], set(), then)[0].withdrawn_at is None
    assert follow_signals(before, [], {HOME}, then)[0].withdrawn_at is None
    (gone,) = follow_signals(before, [], {NEWS}, then)
    assert (gone.withdrawn_at, gone.last_seen) == (then, START)


def test_a_withdrawn_statement_that_comes_back_counts_again() -> None:
    """Re-appearance clears `withdrawn_at`; the day of withdrawal does not move while it stays away."""
    of = section(NEWS, "We cut 40 jobs.")
    gone = follow_signals(signals_of((of, found())), [], {NEWS}, START + DAY)
    still = follow_signals(gone, [], {NEWS}, START + 2 * DAY)
    assert still == gone
    (back,) = follow_signals(still, signals_of((of, found()), at=START + 3 * DAY), {NEWS}, START + 3 * DAY)
    assert (back.first_seen, back.last_seen, back.withdrawn_at) == (START, START + 3 * DAY, None)


def test_an_older_run_cannot_undo_a_newer_one() -> None:
    """Scoring an old run again neither withdraws what was seen later nor revives what was withdrawn later."""
    of = section(NEWS, "We cut 40 jobs.")
    newer = signals_of((of, found()), at=START + 5 * DAY)
    assert follow_signals(newer, [], {NEWS}, START)[0].withdrawn_at is None
    gone = follow_signals(newer, [], {NEWS}, START + 6 * DAY)
    (signal,) = follow_signals(gone, signals_of((of, found())), {NEWS}, START)
    assert (signal.first_seen, signal.withdrawn_at) == (START, START + 6 * DAY)


@given(st.lists(st.tuples(st.sampled_from(["layoffs", "recall", "funding"]), st.integers(1, 4)), max_size=8))
def test_following_twice_changes_nothing(states: list[tuple[str, int]]) -> None:
    """Joining the same run again gives the same signals."""
    sections = [section(NEWS, f"Sentence number {n}.") for n in range(1, 5)]
    predictions = {part.content_hash: prediction(part) for part in sections}
    for code, number in states:
        part = sections[number - 1]
        known = predictions[part.content_hash]
        predictions[part.content_hash] = prediction(part, *known.signals, found(code))
    now_found = find_signals("acme", sections, predictions, START + DAY)
    earlier = signals_of((sections[0], found("recall")), (sections[1], found("strong_results")))
    once = follow_signals(earlier, now_found, {NEWS}, START + DAY)
    assert follow_signals(once, now_found, {NEWS}, START + DAY) == once
    assert len({signal.id for signal in once}) == len(once)


def test_the_earliest_date_of_publication_is_kept() -> None:
    """One statement is as old as the oldest page that dates it, whichever page is the better evidence."""
    sentence = "We cut 40 jobs."
    dated = section(NEWS, sentence).model_copy(update={"published": "2024-03-05"})
    later = section(f"{NEWS}/again", sentence).model_copy(update={"published": "2024-04"})
    (signal,) = signals_of((section(HOME, sentence), found(confidence=0.9)), (later, found()), (dated, found()))
    assert (signal.stated_on, signal.evidence.url) == ("2024-03-05", HOME)


def test_a_date_of_publication_outlives_its_page() -> None:
    """A statement that is found again without its date was still made on that day."""
    sentence = "We cut 40 jobs."
    (before,) = signals_of((section(NEWS, sentence).model_copy(update={"published": "2024-03"}), found()))
    (again,) = signals_of((section(HOME, sentence), found()), at=START + DAY)
    (joined,) = follow_signals([before], [again], {HOME}, START + DAY)
    assert joined.stated_on == "2024-03"
