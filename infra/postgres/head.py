"""The head row is found by the index on its position, which passes over the versions kept for older transactions."""

POSITION = "SELECT max(position) AS position FROM head"

READ = "SELECT position, open_from FROM head ORDER BY position DESC LIMIT 1"

LOCK = f"{READ} FOR UPDATE"
"""Who holds it is the only one who appends."""

CLOSE = "UPDATE head SET open_from = greatest(open_from, %s)"

BY_INDEX = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
"""Plans are made while the head is one page, and kept: they must not rely on its staying so."""
