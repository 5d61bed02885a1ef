"""The dimensions of rollups, as questions name them: what one may group by and filter by."""

from dataclasses import dataclass
from enum import StrEnum

from messaging.models.messages import Direction
from messaging.states import Status


class Kind(StrEnum):
    """The kind of a dimension's values."""

    TEXT = "text"
    CODE = "code"
    CHOICE = "choice"
    # Stored as keys of rows, asked for and answered by name.
    SENDER = "sender"
    ACCOUNT = "account"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension: its name in questions, its column of `models.Dimensions`, and what it holds."""

    name: str
    column: str
    help: str
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    max_length: int = 512


DIMENSIONS: dict[str, Dimension] = {
    one.name: one
    for one in (
        Dimension("sender", "number_id", "Meta's id of the business number.", Kind.SENDER, max_length=32),
        Dimension("account", "number_id", "The WABA id of the business number.", Kind.ACCOUNT, max_length=32),
        Dimension("client", "client_id", "The client's name; inbound messages have none.", Kind.CLIENT, max_length=100),
        Dimension("direction", "direction", "inbound or outbound.", Kind.CHOICE, tuple(Direction)),
        Dimension("type", "type", "The message type: text, template, image …", max_length=32),
        Dimension("template", "template", "The template's name."),
        Dimension("campaign", "campaign", "The campaign.", max_length=100),
        Dimension("country", "country", "The country calling code of the recipient: 49.", max_length=3),
        Dimension("category", "category", "As Meta bills it: marketing, utility …", max_length=40),
        Dimension("price_type", "price_type", "regular, free_customer_service …", max_length=40),
        Dimension("status", "status", "The status as of now.", Kind.CHOICE, tuple(Status)),
        Dimension("error_code", "error_code", "The error code of a failed message; 0: none.", Kind.CODE),
    )
}
