"""Stems, mixers, encoder, heads and presets; knows tensors and shapes, no files and no species."""
