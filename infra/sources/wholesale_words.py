"""What the made-up wholesaler trades in, with whom, and what its people say."""

from decimal import Decimal
from typing import NamedTuple


class Goods(NamedTuple):
    product: str
    name: str
    unit: str
    scale: int
    costing: str
    cost: Decimal
    batch: int  # a usual order; a month's receipt is many of them


GOODS = (
    Goods("w-flour", "Wheat flour", "kg", 3, "average", Decimal("0.62"), 240),
    Goods("w-sugar", "Cane sugar", "kg", 3, "average", Decimal("0.88"), 150),
    Goods("w-butter", "Butter 82 %", "kg", 3, "fifo", Decimal("5.40"), 40),
    Goods("w-cheese", "Hard cheese", "kg", 3, "fifo", Decimal("8.75"), 30),
    Goods("w-coffee", "Coffee beans", "kg", 3, "average", Decimal("11.20"), 25),
    Goods("w-almonds", "Almonds", "kg", 3, "average", Decimal("9.10"), 20),
    Goods("w-oil", "Olive oil 5 l", "pcs", 0, "fifo", Decimal("24.50"), 12),
    Goods("w-wine", "Table wine, case of 6", "pcs", 0, "fifo", Decimal("21.00"), 10),
    Goods("w-water", "Mineral water, tray of 12", "pcs", 0, "average", Decimal("3.35"), 60),
    Goods("w-napkins", "Napkins, carton", "pcs", 0, "average", Decimal("14.80"), 15),
    Goods("w-trays", "Serving trays", "pcs", 0, "average", Decimal("6.90"), 24),
    Goods("w-oven", "Convection oven", "pcs", 0, "fifo", Decimal("780.00"), 2),
)
WAREHOUSES = {"w-north": "North depot", "w-south": "South depot"}
STAGES = {
    "lead": ("Lead", "0.10"),
    "qualified": ("Qualified", "0.30"),
    "offer": ("Offer", "0.60"),
    "negotiation": ("Negotiation", "0.80"),
}
TALKS = {  # what is said as a deal enters a stage: kind, direction, subject
    "lead": ("email", "inbound", "Asks about {}"),
    "qualified": ("call", "outbound", "How much {}, and by when"),
    "offer": ("email", "outbound", "Our offer: {}"),
    "negotiation": ("meeting", "outbound", "Price and terms of {}"),
}
OWNERS = ("anna", "bruno", "clara")
CAME_FROM = ("fair", "referral", "website", "cold call")
LOST_BECAUSE = ("price", "competitor", "no budget")
WRITTEN_OFF_BECAUSE = ("damage", "shortage", "expiry")

_NAMES = (
    "Albers",
    "Brandt",
    "Costa",
    "Duval",
    "Egger",
    "Fontana",
    "Grimm",
    "Horvat",
    "Ionescu",
    "Jansen",
    "Keller",
    "Lindqvist",
)
_TRADES = ("Bakery", "Catering", "Delicatessen", "Hotels", "Canteens", "Foods", "Restaurants", "Market")
_FORMS = ("GmbH", "SA", "BV", "& Sons")


def company(number: int) -> str:
    trade = _TRADES[(number + number // len(_NAMES)) % len(_TRADES)]
    return f"{_NAMES[number % len(_NAMES)]} {trade} {_FORMS[number % len(_FORMS)]}"
