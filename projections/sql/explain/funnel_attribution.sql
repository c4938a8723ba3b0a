-- A deal is counted because it was won; its amount is what led to it, which is its opening if nothing did.
WITH {credit}
SELECT DISTINCT position, source, 1 AS deals, NULL::numeric AS amount FROM credit
 UNION ALL
SELECT led_by, source, NULL, amount FROM credit
