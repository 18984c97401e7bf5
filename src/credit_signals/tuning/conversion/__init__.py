"""From trained weights to the file that is served: GGUF conversion, quantization, and the gate that compares both."""
