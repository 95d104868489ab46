"""The one engine that runs a trained network over records."""
