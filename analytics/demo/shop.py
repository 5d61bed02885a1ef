"""The shop of the demonstration data: its numbers, clients, templates, campaigns, customers and prices. Pure.

The numbers of its customers are nobody's: no country assigns numbers that begin with 00 after its calling code.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

CARD_NAME = "Example, invented prices (demo data)"
CARD = """Market,Currency,Marketing,Utility,Authentication,Service
Germany,USD,0.1100,0.0450,0.0600,0.0450
France,USD,0.1200,0.0250,0.0570,0.0250
Italy,USD,0.0560,0.0240,0.0310,0.0240
Spain,USD,0.0500,0.0160,0.0280,0.0160
Netherlands,USD,0.1300,0.0400,0.0590,0.0400
Poland,USD,0.0700,0.0200,0.0200,0.0200
Rest of Western Europe,USD,0.0490,0.0140,0.0310,0.0140
United Kingdom,USD,0.0430,0.0180,0.0290,0.0180
North America,USD,0.0200,0.0030,0.0110,0.0030
Brazil,USD,0.0500,0.0065,0.0250,0.0065
India,USD,0.0090,0.0012,0.0012,0.0012
"""
# Meta's own ids are digits, so these cannot be ids of Meta.
NUMBERS = {"demo-shop": "Lindgren Outdoor", "demo-stores": "Lindgren Stores", "demo-service": "Lindgren Service"}
SHOP, STORES, SERVICE = range(3)
CLIENTS = ("Webshop (demo)", "Stores (demo)", "Service desk (demo)")
PEOPLE = 3000
# Calling codes and how many of a hundred customers have them.
COUNTRIES = {
    "49": 36, "43": 8, "41": 6, "33": 9, "39": 8, "34": 6, "44": 8, "31": 5, "48": 4, "1": 5, "55": 3, "91": 2,
}  # fmt: skip
_FIRST = (
    "Anna", "Ben", "Carla", "David", "Elif", "Felix", "Greta", "Hannah", "Ivan", "Julia", "Karim", "Lena", "Marco",
    "Nina", "Oscar", "Paula", "Robin", "Sofia", "Tom", "Ulla", "Vera", "Yusuf", "Zoe",
)  # fmt: skip
_LAST = (
    "Albers", "Bianchi", "Costa", "Dubois", "Ekström", "Fischer", "García", "Huber", "Ito", "Jansen", "Keller", "López",
    "Meyer", "Novak", "Olsen", "Petit", "Rossi", "Silva", "Taylor", "Vogel", "Weber", "Yildiz", "Zieliński",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """A customer."""

    peer: str
    name: str


@dataclass(frozen=True, slots=True)
class Template:
    """A template: what it says, and which shares of its delivered messages are read and answered. `weight` is its share
    of the notices of a day; 0: campaigns alone send it."""

    name: str
    category: str
    text: str
    read: float
    answered: float
    weight: int = 0
    number: int = SHOP


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign of `days` days, which begins `first` days after the demonstration does. `size`: its messages a day, as
    a share of all others of the day. `failed`: the share that Meta does not deliver."""

    name: str
    template: str
    first: int
    days: int
    size: float
    hour: float
    failed: float = 0.03
    number: int = SHOP


TEMPLATES = {
    one.name: one
    for one in (
        Template("new_collection", "marketing", "The new collection is here. Have a look!", 0.62, 0.05),
        Template("members_week", "marketing", "This week, members pay a fifth less.", 0.71, 0.09),
        Template("back_in_stock", "marketing", "What you waited for is back in stock.", 0.83, 0.12),
        Template("we_miss_you", "marketing", "It has been a while. Here is a voucher.", 0.38, 0.02),
        Template("store_opening", "marketing", "A new store opens near you.", 0.66, 0.07, number=STORES),
        Template("order_confirmed", "utility", "Thank you, we have your order.", 0.86, 0.02, 30),
        Template("order_shipped", "utility", "Your parcel is on its way.", 0.92, 0.04, 28),
        Template("delivery_today", "utility", "Your parcel arrives today.", 0.94, 0.06, 22),
        Template("return_received", "utility", "Your return has arrived.", 0.81, 0.03, 8),
        Template("appointment_reminder", "utility", "Your appointment is tomorrow.", 0.9, 0.11, 10, STORES),
        Template("invoice_ready", "utility", "Your invoice is ready.", 0.58, 0.01, 8),
        Template("login_code", "authentication", "Your code is on its way.", 0.97, 0.0, 14),
    )
}
CAMPAIGNS = (
    Campaign("collection-launch", "new_collection", 4, 3, 0.9, 10.0),
    Campaign("win-back", "we_miss_you", 17, 6, 0.45, 11.0, failed=0.14),
    Campaign("store-opening", "store_opening", 26, 4, 0.5, 16.5, number=STORES),
    Campaign("back-in-stock", "back_in_stock", 33, 9, 0.25, 17.5),
    Campaign("members-week", "members_week", 47, 7, 0.8, 9.5),
    Campaign("win-back-2", "we_miss_you", 62, 4, 0.4, 11.0, failed=0.11),
    Campaign("collection-second-drop", "new_collection", 70, 3, 1.0, 10.0, failed=0.04),
    Campaign("members-preview", "members_week", 82, 5, 0.6, 18.0),
)
# What users write, and what the shop writes back.
QUESTIONS = (
    "Where is my parcel?", "Do you have this in size 42?", "Can I change the address?", "How do I send it back?",
    "Is the store open on Saturday?", "I got the wrong colour", "Thanks, that was quick!", "Can you call me back?",
)  # fmt: skip
ANSWERS = (
    "It is with the carrier; it arrives tomorrow.", "Yes, it is in stock.", "Done, the address is changed.",
    "The label is in your email.", "Yes, until 18:00.", "Sorry! The right one leaves today.", "You are welcome.",
    "We will, this afternoon.",
)  # fmt: skip
# Why messages fail, and how often.
FAILURES = {131026: 5, 131049: 4, 131047: 1, 130472: 1}
EVENTS = {"order_paid": 6, "return_opened": 2, "ticket_closed": 3, "voucher_used": 1}


def people(seed: int) -> Sequence[Person]:
    """The customers: the same for a seed."""
    chance = random.Random(f"people {seed}")  # noqa: S311 - to be repeated
    codes = chance.choices(list(COUNTRIES), list(COUNTRIES.values()), k=PEOPLE)
    return [
        Person(f"{code}00{n:07d}", f"{chance.choice(_FIRST)} {chance.choice(_LAST)}") for n, code in enumerate(codes)
    ]
