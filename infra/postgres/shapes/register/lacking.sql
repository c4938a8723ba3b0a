-- Cells of which the movements of a month are not its turnovers.
SELECT count(*) FROM (
    SELECT {dimensions}
      FROM (
        SELECT {dimensions}, {flows} FROM {name}_turnover WHERE month = %(month)s
         UNION ALL
        SELECT {dimensions}, {negated_split}
          FROM {name}_movement
         WHERE effective_at >= %(starts)s AND effective_at < %(ends)s
      ) parts
     GROUP BY {dimensions}
    HAVING {flows_unsettled}
) wrong
