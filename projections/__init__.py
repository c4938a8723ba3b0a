"""What can be seen: read models, as pure functions from an event to rows, and the queries on them.

PROJECTIONS and QUERIES list them all: one line a module.
"""

from projections import (
    classes,
    clients,
    deals,
    funnel,
    products,
    receivables,
    restatements,
    stock,
    timeline,
    warehouses,
)
from projections.projection import Projection
from projections.query import Query

_MODULES = (clients, timeline, deals, products, warehouses, stock, receivables)

PROJECTIONS: tuple[Projection, ...] = tuple(module.projection for module in _MODULES)
# The first path that fits is taken, so /v1/clients/classes comes before /v1/clients/{client}.
QUERIES: tuple[Query, ...] = tuple(
    query for module in (classes, *_MODULES, funnel, restatements) for query in module.queries
)
