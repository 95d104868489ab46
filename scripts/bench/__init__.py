"""Benchmarks: each beside what a user would pick instead. ``python -m scripts.bench`` runs them all."""
