-- name: waiting
-- Asked often and without a lock: most of the time nobody's status has changed.
SELECT EXISTS (SELECT FROM status_unsent)

-- name: interests
-- Checks of declarations that may still wait; who is finished is known to the ledger.
SELECT licence_id, caller, declaration FROM interest
WHERE licence_id = ANY($1::text[]) AND asked_at >= $2 ORDER BY licence_id, caller, declaration

-- name: lock_subscriptions
-- In order of id, so that two who add pushes never wait for each other in a circle.
SELECT * FROM subscription WHERE ended_at IS NULL AND (valid_to IS NULL OR valid_to > $1)
ORDER BY subscription_id FOR NO KEY UPDATE

-- name: lock_main_subscription
-- The oldest one in force of a caller.
SELECT * FROM subscription WHERE caller = $1 AND ended_at IS NULL AND (valid_to IS NULL OR valid_to > $2)
ORDER BY created_at, subscription_id LIMIT 1 FOR NO KEY UPDATE

-- name: append
-- The subscriptions are locked; a number that exists already fails.
INSERT INTO push (subscription_id, number, kind, subject, content_type, body, created_at, trace)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::timestamptz[],
                     $8::text[])

-- name: numbered
-- The newest number of each.
UPDATE subscription SET last_number = n.number
FROM unnest($1::text[], $2::bigint[]) AS n(subscription_id, number)
WHERE subscription.subscription_id = n.subscription_id AND subscription.last_number < n.number

-- name: due
-- Whose oldest push may be sent now: later ones wait for it.
SELECT s.* FROM subscription s
CROSS JOIN LATERAL (SELECT next_try FROM push p WHERE p.subscription_id = s.subscription_id AND p.delivered_at IS NULL
                    ORDER BY number LIMIT 1) AS head
WHERE s.ended_at IS NULL AND s.paused = '' AND head.next_try <= $1 ORDER BY s.subscription_id

-- name: owed
-- The oldest ones in order; none while the first of them is put off.
SELECT p.subscription_id, p.number, p.kind, p.subject, p.content_type, p.body, p.created_at, p.attempts, p.trace,
       p.next_try > $3 AS put_off
FROM push p JOIN subscription s USING (subscription_id)
WHERE p.subscription_id = $1 AND p.delivered_at IS NULL AND s.ended_at IS NULL AND s.paused = ''
ORDER BY p.number LIMIT $2

-- name: delivered
-- The receiver has it.
UPDATE push SET delivered_at = $3, attempts = attempts + 1, last_error = '' WHERE subscription_id = $1 AND number = $2

-- name: works
-- The receiver takes pushes again.
UPDATE subscription SET failing_since = NULL WHERE subscription_id = $1 AND failing_since IS NOT NULL

-- name: failed
-- Tried in vain.
UPDATE push SET attempts = attempts + 1, next_try = $4, last_error = $3 WHERE subscription_id = $1 AND number = $2

-- name: fails
-- Since when, and whether it shall be left alone; a pause by the operator stays.
UPDATE subscription SET failing_since = coalesce(failing_since, $2),
       paused = CASE WHEN paused = '' THEN $3 ELSE paused END
WHERE subscription_id = $1

-- name: depths
-- What is measured: the oldest push that could be sent, and who does not take any.
SELECT (SELECT coalesce(extract(epoch FROM now() - min(p.created_at)), 0) FROM push p JOIN subscription s
        USING (subscription_id)
        WHERE p.delivered_at IS NULL AND s.ended_at IS NULL AND s.paused <> 'OPERATOR') AS push_oldest_unsent_seconds,
       (SELECT count(*) FROM subscription WHERE ended_at IS NULL AND failing_since IS NOT NULL) AS subscriptions_failing

-- name: add
-- A new subscription.
INSERT INTO subscription (subscription_id, caller, member_state, declarations_shown, scope, issuer, licence_id, url, form,
                          key_check, created_at, valid_to)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: alone
-- Nobody else works under this name until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended($1, 0))

-- name: of_caller
-- Those that have not ended, oldest first.
SELECT * FROM subscription WHERE caller = $1 AND ended_at IS NULL ORDER BY created_at, subscription_id

-- name: end
-- What is owed stays in the table and is not sent.
UPDATE subscription SET ended_at = $2 WHERE subscription_id = $1 AND ended_at IS NULL
