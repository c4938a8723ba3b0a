"""``python -m bench.kafka 20000 3 50000 1``: with small numbers, to see that it runs; writes nothing."""

import sys

from bench.kafka import main

if __name__ == "__main__":
    print(*main(*map(int, sys.argv[1:])), sep="\n")
