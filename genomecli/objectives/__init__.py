"""One file an objective: pure corruption, the head it needs, its loss and metrics."""
