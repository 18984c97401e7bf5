"""From a page's HTML to sections with numbered sentences, facts and reasons for what was dropped."""
