"""Readers: the only package that imports llama_cpp."""
