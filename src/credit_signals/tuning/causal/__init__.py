"""Training of generative readers: a small one from the first step, and any causal model by fine-tuning."""
