"""Sentences to be labelled: chosen from the store and from files, without near-duplicates, split without leaks."""
