"""Fuzzers of every parser: seeds, mutations, what a parser may do with an input, and a table of it."""
