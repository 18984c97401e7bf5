"""From labels to readers: training, conversion, evaluation."""
