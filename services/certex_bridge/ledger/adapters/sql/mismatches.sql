-- name: mismatch_totals
-- How many of each source, member state and verdict; of one claim told several times the first counts.
SELECT source, member_state, verdict, count(*)
FROM (SELECT DISTINCT ON (decl_id, item, doc_seq, licence_id, line_no) * FROM mismatch
      ORDER BY decl_id, item, doc_seq, licence_id, line_no, written_at) AS first
WHERE ($1 = '' AND $2 = '' OR member_state = $1 OR split_part(licence_id, '/', 1) = $2)
  AND ($3 = '' OR source = $3) AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::timestamptz IS NULL OR at < $5)
GROUP BY source, member_state, verdict ORDER BY source, member_state, verdict

-- name: mismatches
-- The newest of them.
SELECT decl_id, item, doc_seq, licence_id, line_no, event_id, member_state, source, verdict, reasons, recorded, at
FROM (SELECT DISTINCT ON (decl_id, item, doc_seq, licence_id, line_no) * FROM mismatch
      ORDER BY decl_id, item, doc_seq, licence_id, line_no, written_at) AS first
WHERE ($1 = '' AND $2 = '' OR member_state = $1 OR split_part(licence_id, '/', 1) = $2)
  AND ($3 = '' OR source = $3) AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::timestamptz IS NULL OR at < $5)
ORDER BY at DESC, decl_id DESC, item DESC, doc_seq DESC LIMIT $6

-- name: undecided
-- Accepted or released, and which content they have cannot be told; the oldest first.
SELECT decl_id, dv, facts, said, waiting_for, joined, identity FROM declaration
WHERE undecided_since IS NOT NULL AND CASE WHEN $1 <> '' THEN substr(decl_id, 3, 2) = $1 ELSE $2 = '' END
  AND $3 = '' AND ($4::timestamptz IS NULL OR undecided_since >= $4)
  AND ($5::timestamptz IS NULL OR undecided_since < $5)
ORDER BY undecided_since, decl_id LIMIT $6

-- name: undecided_one
-- A declaration that is undecided, with what was sent under its LRN; no row: it is decided, or not known.
SELECT d.decl_id, d.dv, d.facts, d.said, d.waiting_for, d.joined, d.identity, a.exporters, a.marks
FROM declaration d LEFT JOIN anchor a ON a.lrn = d.lrn AND d.lrn <> ''
WHERE d.decl_id = $1 AND d.undecided_since IS NOT NULL

-- name: undecided_now
-- All that are undecided, with their age: released ones first, because their goods may be gone, then the oldest.
SELECT decl_id, dv, facts, said, waiting_for, joined, identity,
       extract(epoch FROM now() - undecided_since)::double precision AS seconds
FROM declaration WHERE undecided_since IS NOT NULL
ORDER BY state <> 'RELEASED', undecided_since, decl_id LIMIT $1
