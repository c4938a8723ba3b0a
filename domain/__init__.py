"""What may happen and by which rules: events, aggregates, values. Pure; no I/O, no clock, no randomness.

Importing the room registers its events: one line a module.
"""

from domain import clients, deals, interactions, periods, pipelines, products, receivables, stock, warehouses

__all__ = ["clients", "deals", "interactions", "periods", "pipelines", "products", "receivables", "stock", "warehouses"]
