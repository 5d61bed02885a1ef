"""Text of a page between two markers, which a program writes."""


def between(page: str, begin: str, end: str, text: str) -> str:
    """The page with this text between its markers. Raises ValueError where those are missing."""
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"The page has lost its markers {begin} and {end}.")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"
