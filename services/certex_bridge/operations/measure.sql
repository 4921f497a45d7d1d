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

-- name: short
-- Of the next licences: how many there are, the last of them, and how many are nearly used up and in use. Use is looked
-- for in the newest hundred entries of the journal: a licence with a million entries costs as much as one with ten.
SELECT count(*), max(l.licence_id), count(*) FILTER (WHERE l.status = 'Valid' AND CASE WHEN EXISTS (
        SELECT FROM account a WHERE a.licence_id = l.licence_id AND a.cap > 0 AND a.available * 10 <= a.cap
    ) THEN EXISTS (
        SELECT FROM (SELECT m.kind, m.written_at FROM movement m WHERE m.licence_id = l.licence_id
                     ORDER BY m.lv DESC, m.seq DESC LIMIT 100) AS newest
        WHERE newest.kind IN ('RESERVE', 'CONSUME') AND newest.written_at > now() - interval '30 days'
    ) ELSE false END)
FROM (SELECT licence_id, status FROM licence WHERE licence_id > $1 ORDER BY licence_id LIMIT $2) AS l

-- name: idle
-- Reservations on these licences whose declaration no event has touched for so many days.
SELECT count(*) FROM claim JOIN declaration USING (decl_id)
WHERE claim.state = 'RESERVED' AND claim.licence_id > $1 AND claim.licence_id <= $2
  AND declaration.touched_at < now() - make_interval(days => $3)

-- name: table_sizes
-- Every table of the schema with its indexes and its large values.
SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')

-- name: database_size
-- All that it takes on disk.
SELECT pg_database_size(current_database())

-- name: ending
-- Licences whose last day is near (index licence_to_expire).
SELECT count(*) FROM licence
WHERE valid_to BETWEEN current_date AND current_date + 30 AND expired_version < version AND status = 'Valid'
