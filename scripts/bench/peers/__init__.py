"""What a user would pick instead, run as its users run it. Each prints one figure in its last line."""
