"""The HTTP interface: parse, call, render. Nothing is decided here."""
