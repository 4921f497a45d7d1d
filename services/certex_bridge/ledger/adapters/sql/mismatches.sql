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
