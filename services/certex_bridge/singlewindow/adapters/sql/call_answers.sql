-- name: lock_call
-- Two calls of one id, at once: the second waits, and then finds the first one's answer.
SELECT pg_advisory_xact_lock(hashtextextended($1, 4993))

-- name: answered
-- What was answered before.
SELECT sha256, body FROM call_answer WHERE call_id = $1

-- name: keep_answer
-- Once, for ever.
INSERT INTO call_answer (call_id, sha256, body, at) VALUES ($1, $2, $3, $4)
