"""Networks: stems, mixers, feed-forward layers, encoder, heads and presets. Knows tensors, no files, no
species."""
