"""From a page's HTML to sections with numbered sentences, facts and reasons for what was dropped."""

from credit_signals.sections.facts import find_site_facts
from credit_signals.sections.language import detect_language
from credit_signals.sections.repeats import drop_repeats
from credit_signals.sections.splitting import SplitPage, split_page

__all__ = ["SplitPage", "detect_language", "drop_repeats", "find_site_facts", "split_page"]
