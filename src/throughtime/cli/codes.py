"""Exit codes of the command line."""

USER_ERROR = 2  # wrong options, data, files or settings
INTERRUPTED = 130  # Ctrl-C
