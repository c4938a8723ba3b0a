"""Kafka. Its clients take a fourth of the time in which a process starts: what can do without a broker imports what is
here where there is one, and not before (tests/e2e/test_starting.py)."""
