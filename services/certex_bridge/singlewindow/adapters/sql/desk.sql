-- name: lock_name
-- Nobody else works on what has this name until the transaction ends, whether it exists or not.
SELECT pg_advisory_xact_lock(hashtextextended($1, 0))

-- name: record
-- As it stands.
SELECT caller, record_id, version, licence_id, member_state, mrn, item, information, deleted
FROM record WHERE caller = $1 AND record_id = $2

-- name: write_record
-- What a later version changes; what it is about never changes.
INSERT INTO record (record_key, caller, record_id, version, licence_id, member_state, mrn, item, information, deleted)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (record_key) DO UPDATE SET
    version = EXCLUDED.version, information = EXCLUDED.information, deleted = EXCLUDED.deleted

-- name: append_record
-- A version for ever.
INSERT INTO record_version (record_key, version, action, before, after, reason, licence_version, call_id, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: written_records
-- Versions that a caller has written since a moment.
SELECT count(*) FROM record_version v JOIN record r USING (record_key) WHERE v.at > $2 AND r.caller = $1

-- name: active_orders
-- Orders of a caller that have not ended.
SELECT count(*) FROM list_order WHERE caller = $1 AND state = 'ACTIVE'

-- name: open_notices
-- Notices of an announcer that have not ended.
SELECT count(*) FROM notice WHERE announced_by = $1 AND (ends IS NULL OR ends > $2)

-- name: record_history
-- All versions with what the record is about, oldest first.
SELECT r.caller, r.record_id, v.version, r.licence_id, r.member_state, r.mrn, r.item, v.after, v.action = 'DELETE' AS deleted,
       v.action, v.reason, v.before, v.licence_version, v.at, v.call_id
FROM record r JOIN record_version v USING (record_key) WHERE r.caller = $1 AND r.record_id = $2 ORDER BY v.version

-- name: lock_order
-- One order of a caller.
SELECT caller, order_id, request, first_at, hours, until_at, next_due, deliveries, since, state
FROM list_order WHERE caller = $1 AND order_id = $2 FOR UPDATE

-- name: lock_due_order
-- The one that is due longest; what another process has in hand is left to it.
SELECT caller, order_id, request, first_at, hours, until_at, next_due, deliveries, since, state
FROM list_order WHERE next_due <= $1 ORDER BY next_due, caller, order_id LIMIT 1 FOR UPDATE SKIP LOCKED

-- name: orders
-- All orders of a caller.
SELECT caller, order_id, request, first_at, hours, until_at, next_due, deliveries, since, state
FROM list_order WHERE caller = $1 ORDER BY order_id COLLATE "C"

-- name: write_order
-- What was ordered stays; when it is due and how far it is changes.
INSERT INTO list_order (caller, order_id, request, first_at, hours, until_at, next_due, deliveries, since, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (caller, order_id) DO UPDATE SET
    next_due = EXCLUDED.next_due, deliveries = EXCLUDED.deliveries, since = EXCLUDED.since, state = EXCLUDED.state

-- name: deliver
-- A page that was made; the key keeps a second list of the same period out.
INSERT INTO list_delivery (caller, order_id, number, page, body, made_at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: delivered
-- A page made earlier.
SELECT body FROM list_delivery WHERE caller = $1 AND order_id = $2 AND number = $3 AND page = $4

-- name: notice
-- As it stands.
SELECT notice_id, version, function, kind, begins, ends, reason, degraded, announced_by, issuer
FROM notice WHERE notice_id = $1

-- name: current_notices
-- In force or planned.
SELECT notice_id, version, function, kind, begins, ends, reason, degraded, announced_by, issuer
FROM notice WHERE ends IS NULL OR ends > $1 ORDER BY begins, notice_id COLLATE "C"

-- name: write_notice
-- A later version tells another end.
INSERT INTO notice (notice_id, version, function, kind, begins, ends, reason, degraded, announced_by, issuer)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (notice_id) DO UPDATE SET version = EXCLUDED.version, ends = EXCLUDED.ends

-- name: append_notice
-- A version for ever.
INSERT INTO notice_version (notice_id, version, ends, announced_by, at) VALUES ($1, $2, $3, $4, $5)

-- name: untold_notices
-- Whose last version the callers do not know; what another process is telling is left to it.
SELECT notice_id, version, function, kind, begins, ends, reason, degraded, announced_by, issuer
FROM notice WHERE told_version < version ORDER BY notice_id LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: told_notice
-- The callers know this version.
UPDATE notice SET told_version = $2 WHERE notice_id = $1
