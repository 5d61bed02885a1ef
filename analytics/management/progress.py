"""The progress bar of long commands."""

from django.core.management.base import OutputWrapper

WIDTH = 30
# The exit status that a shell gives a command that Ctrl-C ended.
INTERRUPTED = 130


def write_progress(output: OutputWrapper, done: int, total: int, word: str = "") -> None:
    """On a terminal the bar replaces the one before; elsewhere each is a line."""
    total = max(done, total)
    filled = WIDTH * done // max(1, total)
    bar = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {word and f'{word} '}{done} of {total}"
    output.write(f"\r{bar}" if output.isatty() else bar, ending="" if output.isatty() else "\n")
    output.flush()
