"""The one loop, optimiser, schedule and checkpoint."""
