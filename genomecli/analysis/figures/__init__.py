"""Figures, one file each: plain arrays in, a matplotlib figure out, drawn without pyplot."""
