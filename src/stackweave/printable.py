"""Names from files of others, made fit for a terminal and for one line."""


def printable(text: str) -> str:
    """Names come from untrusted files: nothing in them may steer the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
