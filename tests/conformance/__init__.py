"""The eventsourcing library's own test cases, run on our persistence module.

All that the library ships for persistence modules is here. What does not apply:

- ``TaggedDecisionCountersProjectionTestCase``: for DCB (dynamic consistency boundaries), another kind of application
  with recorders and factories of its own; a ledger's boundary is the stream.
- ``TranscoderTestCase``: about JSON, not about persistence; we use the library's transcoder as it is.
- ``postgres_utils``: for the library's own module, which needs psycopg 3.

Whole-payload compression and encryption are tested as far as the mapper goes, which is what the library's case does.
The recorder takes UTF-8 text only: docs/decisions/0005-payloads-are-text.md.
"""
