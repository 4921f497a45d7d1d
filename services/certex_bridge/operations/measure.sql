-- name: journal_page
-- The next rows of the journal in order, with where their licence stands.
SELECT m.licence_id, m.lv, m.seq, m.line_no, m.dim, m.kind, m.event_id, m.claim, m.d_cap::text, m.d_res::text,
       m.d_cons::text, m.d_over::text, m.at, m.detail, m.chain, encode(l.chain, 'hex') AS head
FROM movement m JOIN licence l USING (licence_id)
WHERE (m.licence_id, m.lv, m.seq) > ($1::text, $2::bigint, $3::int)
ORDER BY m.licence_id, m.lv, m.seq LIMIT $4

-- name: imbalance
-- Accounts of these licences that are not the sum of their movements.
WITH journal AS (
    SELECT licence_id, line_no, dim, sum(d_cap) AS cap, sum(d_res) AS reserved, sum(d_cons) AS consumed,
           sum(d_over) AS over
    FROM movement WHERE dim <> 'NONE' AND licence_id >= $1::text AND ($2::text IS NULL OR licence_id < $2::text)
    GROUP BY licence_id, line_no, dim),
held AS (
    SELECT * FROM account WHERE licence_id >= $1::text AND ($2::text IS NULL OR licence_id < $2::text))
SELECT count(*) FROM journal j FULL JOIN held a USING (licence_id, line_no, dim)
WHERE (a.cap, a.reserved, a.consumed, a.over) IS DISTINCT FROM
      (coalesce(j.cap, 0), coalesce(j.reserved, 0), coalesce(j.consumed, 0), coalesce(j.over, 0))

-- name: over_accounts
-- Accounts booked beyond what the licence allows.
SELECT count(*) FROM account WHERE over > 0

-- name: licences
-- Licences by status, those only cited so far included.
SELECT status, count(*) FROM licence GROUP BY status
