-- name: take_changes
-- The oldest changes nobody was told of; only one hands out at a time, so the order of the queue is kept.
WITH taken AS (
    DELETE FROM status_unsent WHERE queue_no IN (SELECT queue_no FROM status_unsent ORDER BY queue_no LIMIT $1)
    RETURNING queue_no, licence_id, change_no)
SELECT licence_id, change_no, old, new, reason, at, event_id, exporter, licence_version, lv, number, document_code,
       direction, valid_from, valid_to, trace
FROM taken JOIN status_change USING (licence_id, change_no) ORDER BY queue_no

-- name: finished_declarations
-- Those whose customs office waits for no licence any more.
SELECT decl_id FROM declaration
WHERE decl_id = ANY($1::text[])
  AND (joined OR state IN ('RELEASED', 'NOT_RELEASED', 'INVALIDATED', 'REJECTED', 'NOT_PRESENTED'))
