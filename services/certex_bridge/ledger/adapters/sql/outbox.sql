-- name: unsent
-- The oldest batches that are not published yet, in the order of their ids; some may wait for a topic.
SELECT batch_id FROM unsent
WHERE batch_id <> ALL($2::bigint[]) AND ($3::bigint IS NULL OR batch_id <= $3::bigint) ORDER BY batch_id LIMIT $1

-- name: rows
-- Their messages, in the order in which they were written.
SELECT batch_id, agg_type, agg_id, agg_ver, key, body, at, trace FROM outbox
WHERE batch_id = ANY($1::bigint[]) ORDER BY batch_id, pos

-- name: sent
-- Everything in these batches is on the broker, or held.
DELETE FROM unsent WHERE batch_id = ANY($1::bigint[])

-- name: hold
-- Only what still lies in a batch that was read: an operator may have moved it meanwhile.
INSERT INTO held (agg_type, agg_id, agg_ver, code)
SELECT n.* FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS n(agg_type, agg_id, agg_ver, code)
JOIN outbox o USING (agg_type, agg_id, agg_ver) WHERE o.batch_id = ANY($5::bigint[]) ON CONFLICT DO NOTHING

-- name: held
-- Aggregates that are held back.
SELECT DISTINCT agg_type, agg_id FROM held

-- name: held_list
-- What is held, oldest first.
SELECT h.agg_type, h.agg_id, min(h.agg_ver) AS first, max(h.agg_ver) AS last, count(*) AS messages, min(h.at) AS since,
       (array_agg(h.code ORDER BY h.agg_ver))[1] AS code, max(octet_length(o.body)) AS bytes
FROM held h JOIN outbox o USING (agg_type, agg_id, agg_ver) GROUP BY h.agg_type, h.agg_id ORDER BY since, 1, 2

-- name: lock_licence
-- Whoever writes a message about a licence holds this lock: no version can be on its way past us.
SELECT 1 FROM licence WHERE licence_id = $1 FOR UPDATE

-- name: lock_declaration
-- The same for a declaration.
SELECT 1 FROM declaration WHERE decl_id = $1 FOR UPDATE

-- name: first_held
-- The first version that is held, or none.
SELECT min(agg_ver) FROM held WHERE agg_type = $1 AND agg_id = $2

-- name: versions
-- First and last version that was ever queued.
SELECT min(agg_ver) AS first, max(agg_ver) AS last FROM outbox WHERE agg_type = $1 AND agg_id = $2

-- name: requeue
-- These versions and all later ones, in order, as one batch.
UPDATE outbox o SET batch_id = $4, pos = n.pos
FROM (SELECT agg_ver, row_number() OVER (ORDER BY agg_ver) AS pos FROM outbox
      WHERE agg_type = $1 AND agg_id = $2 AND agg_ver >= $3) n
WHERE o.agg_type = $1 AND o.agg_id = $2 AND o.agg_ver = n.agg_ver

-- name: unhold
-- Held no longer.
DELETE FROM held WHERE agg_type = $1 AND agg_id = $2

-- name: leads
-- Whether the session that runs this holds the leader's lock; pg_locks shows a key of 64 bits in two halves.
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = $1::bigint::oid AND objid = $2::bigint::oid
)
