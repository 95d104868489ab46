"""Faults that a run may meet, made on purpose: kills, full disks, closed pipes, damaged files."""
