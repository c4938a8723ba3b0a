-- What adds up to nothing leaves, so that reading balances does not slow with what was settled long ago.
DELETE FROM {name}_balance t
 USING (SELECT DISTINCT {dimensions} FROM {name}_movement WHERE position > %(after)s AND position <= %(upto)s) m
 WHERE {same_dimensions} AND {all_zero}
