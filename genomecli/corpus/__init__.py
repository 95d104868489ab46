"""Vocabulary, tokenizer, store, splits, sampling, and the one Batch."""
