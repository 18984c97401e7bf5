"""Redis Streams between crawlers and workers; the only package that imports redis."""
