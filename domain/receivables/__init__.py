"""Receivables: what clients owe, what they paid, and what was paid for what. All of a client's is one stream."""

from domain.receivables.account import Account, Allocation, CreditLimit, Wanted
from domain.receivables.events import (
    Allocated,
    Bounced,
    Cancelled,
    Credited,
    Deallocated,
    Instalment,
    Issued,
    Offset,
    Received,
    Refunded,
    WrittenOff,
)
from domain.receivables.invoice import OpenInvoice
from domain.receivables.payment import Payment

__all__ = [
    "Account",
    "Allocated",
    "Allocation",
    "Bounced",
    "Cancelled",
    "CreditLimit",
    "Credited",
    "Deallocated",
    "Instalment",
    "Issued",
    "Offset",
    "OpenInvoice",
    "Payment",
    "Received",
    "Refunded",
    "Wanted",
    "WrittenOff",
]
