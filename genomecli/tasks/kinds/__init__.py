"""Kinds of targets: what their labels are for a network, their loss, and what its outputs mean."""
