"""Credit Signals reads credit signals from company websites: every signal with a quote, every figure measured."""
