-- name: last
-- The newest seal.
SELECT seal_no, as_of, chain FROM seal ORDER BY seal_no DESC LIMIT 1

-- name: unsealed_seconds
-- How long ago that instant is.
SELECT extract(epoch FROM clock_timestamp() - $1::timestamptz)::float8

-- name: alone
-- One process makes seals at a time; the others leave it to that one.
SELECT pg_try_advisory_xact_lock($1)

-- name: write
-- A seal, for ever.
INSERT INTO seal (seal_no, as_of, line, chain, key_id, signature) VALUES ($1, $2, $3, $4, $5, $6)

-- name: page
-- The next seals, each with the message that told it.
SELECT s.seal_no, s.as_of, s.line, s.chain, s.key_id, s.signature, o.body
FROM seal s LEFT JOIN outbox o ON o.agg_type = 'seal' AND o.agg_id = 'ledger' AND o.agg_ver = s.seal_no
WHERE s.seal_no > $1 ORDER BY s.seal_no LIMIT $2

-- name: bodies
-- What was published of seals after a number, oldest first.
SELECT agg_ver, body FROM outbox WHERE agg_type = 'seal' AND agg_id = 'ledger' AND agg_ver > $1 ORDER BY agg_ver LIMIT $2
