-- A counterparty's clients are looked up first, since what moved is found by client.
debtor AS (
    SELECT key, facts FROM debtor_at('infinity', %(known_at)s) WHERE key IN (%(client)s, %(counterparty)s)
), its_client AS (
    SELECT substr(fact, 8) FROM debtor, jsonb_object_keys(facts) AS fact
     WHERE key = %(counterparty)s AND starts_with(fact, 'client.')
)
