"""Readers: the only package that imports llama_cpp, and that only when a model is loaded."""
