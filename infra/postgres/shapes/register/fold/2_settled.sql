-- What adds up to nothing leaves, so that reading balances does not slow with what was settled long ago.
DELETE FROM {name}_balance WHERE ctid = ANY (%(found)s::tid[])
