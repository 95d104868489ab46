"""One file a subcommand: check, build, run, report."""
