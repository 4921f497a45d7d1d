-- name: keep
-- Sorted by key, so that two writers never deadlock; the later time counts.
INSERT INTO interest AS i (licence_id, caller, declaration, member_state, asked_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
ON CONFLICT (licence_id, caller, declaration) DO UPDATE SET asked_at = EXCLUDED.asked_at
WHERE EXCLUDED.asked_at > i.asked_at
