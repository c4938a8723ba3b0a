WITH {credit}
SELECT source, count(DISTINCT position) AS deals, sum(amount) AS amount FROM credit GROUP BY source
