"""What may be asked of the book, and the bus that has it decided and committed. One line a module."""

from commands import clients as clients
from commands import deals as deals
from commands import interactions as interactions
from commands import periods as periods
from commands import pipelines as pipelines
from commands import products as products
from commands import promises as promises
from commands import receivables as receivables
from commands import stock as stock
from commands import transfers as transfers
from commands import warehouses as warehouses
