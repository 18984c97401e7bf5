"""Readers: the only package that imports llama_cpp, and that only when a model is loaded."""

from credit_signals.inference.manifest import reader_id
from credit_signals.inference.opening import open_reader
from credit_signals.inference.scripted import ScriptedReader

__all__ = ["ScriptedReader", "open_reader", "reader_id"]
