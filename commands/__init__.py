"""What may be asked of the book, and the bus that has it decided and committed. One line a module."""

from commands import clients, deals, interactions, periods, pipelines, products, receivables, stock, warehouses

__all__ = ["clients", "deals", "interactions", "periods", "pipelines", "products", "receivables", "stock", "warehouses"]
