"""What may happen and by which rules: events, aggregates, values. Pure; no I/O, no clock, no randomness.

Importing the room registers its events: one line a module.
"""

from domain import clients as clients
from domain import deals as deals
from domain import interactions as interactions
from domain import periods as periods
from domain import pipelines as pipelines
from domain import products as products
from domain import promises as promises
from domain import reasons as reasons
from domain import receivables as receivables
from domain import stock as stock
from domain import stock_item as stock_item
from domain import transfers as transfers
from domain import warehouses as warehouses
