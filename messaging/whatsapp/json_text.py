"""Reads a JSON text that Meta or a user wrote, within bounds that are checked before any object is built."""

from waproject.sqs.json_limits import Limits, excess, loads

# An answer of the Graph API and a usage header: Meta's own have a dozen elements and five levels.
ANSWER = Limits(depth=32, elements=5_000, digits=100)
# A page of 250 templates, each with ten cards of a dozen parts.
GRAPH_PAGE = Limits(depth=32, elements=400_000, digits=100)
# What a user entered in a flow: 500 fields and their values. 5,000 empty lists take 0.4 MB; 3 MB of them took 129 MB.
FLOW_RESPONSE = Limits(depth=64, elements=5_000, digits=100)


def value_of(text: str | bytes, limits: Limits) -> object:
    """The value of a JSON text. Raises ValueError for a text that is no JSON in UTF-8 or exceeds a limit."""
    encoded = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if found := excess(encoded, limits):
        raise ValueError(f"the JSON text is over its limits: {found}")
    return loads(encoded)
