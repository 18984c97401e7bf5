"""Labels from larger models: asking, grading, comparing, and labels that hold nobody's text."""
