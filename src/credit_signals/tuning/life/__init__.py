"""The whole life of a reader over a working folder: sample, label, grade, dataset, train, export, evaluate, promote."""
