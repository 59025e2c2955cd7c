"""Image generators: implementations of `chorus_bench.synthesis.interfaces.ImageGenerator`."""
