"""Alignment scores and their controls, statistics, figures and pages."""
