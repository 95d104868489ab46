"""Kinds of fine-tuning: label schemas, heads' losses, metrics, splits and simple baselines."""
