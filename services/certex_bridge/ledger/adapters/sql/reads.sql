-- name: picture
-- All that a check is judged by, in one statement and therefore as of one commit. No lock is taken and none is waited
-- for. A licence whose version is in memory comes without its content.
WITH asked AS (SELECT * FROM unnest($1::text[], $2::int[]) AS a(licence_id, known)),
     mine AS (
    SELECT decl_id, item, doc_seq, licence_id, line_no, state, q_req, q_res, q_cons, q_unc, v_req, v_res, v_cons, v_unc,
           attempt, outcome, reasons, document_code, source, refused_at
    FROM claim WHERE decl_id = $3),
     wanted AS (
    SELECT licence_id, known FROM asked
    UNION ALL
    SELECT licence_id, 0 FROM (
        SELECT licence_id FROM mine
        UNION
        SELECT licence_id FROM licence
        WHERE version > 0 AND substr(licence_id, strpos(licence_id, '/') + 1) = ANY ($5::text[])) further
    WHERE licence_id <> ALL ($1::text[]))
SELECT 'licence' AS kind, l.licence_id AS key,
       ARRAY[l.version::text, l.payload_sha256, l.status, l.expired_version::text, l.lv::text, l.nv::text, l.cv::text,
             l.iv::text, l.frozen::text] AS part,
       CASE WHEN l.version <> w.known THEN l.snapshot END AS body
FROM wanted w JOIN licence l USING (licence_id)
UNION ALL
SELECT 'account', a.licence_id,
       ARRAY[a.line_no::text, a.dim, a.unit, trim_scale(a.cap)::text, trim_scale(a.reserved)::text,
             trim_scale(a.consumed)::text, a.replaced], NULL
FROM wanted w JOIN account a USING (licence_id)
UNION ALL
SELECT 'declaration', d.decl_id, ARRAY[d.dv::text, d.said, d.waiting_for, d.joined::text], d.facts
FROM declaration d WHERE d.decl_id = $3
UNION ALL
SELECT 'claim', m.licence_id,
       ARRAY[m.decl_id, m.item::text, m.doc_seq::text, m.licence_id, m.line_no::text, m.state, m.q_req::text,
             m.q_res::text, m.q_cons::text, m.q_unc::text, m.v_req::text, m.v_res::text, m.v_cons::text,
             m.v_unc::text, m.attempt, m.outcome, m.reasons, m.document_code, m.source,
             m.refused_at::text], NULL
FROM mine m
UNION ALL
SELECT 'bar', b.issuer, ARRAY[b.eori, b.document_code, coalesce(b.from_day::text, '')], NULL
FROM exporter_bar b WHERE b.eori = ANY ($4::text[])

-- name: open_claims
-- Open claims only: an index has them.
SELECT state, count(*) AS number FROM claim
WHERE licence_id = $1 AND state IN ('CHECKED', 'WAITING', 'REFUSED', 'RESERVED', 'NOT_MANAGED')
GROUP BY state ORDER BY state

-- name: status_on
-- With which status the version of that moment came in force.
SELECT status FROM licence_version WHERE licence_id = $1 AND at::timestamptz <= $2 ORDER BY version DESC LIMIT 1

-- name: original
-- What was issued with a version: its certificate, the authority's last content up to it, and the document that counts.
SELECT v.version, v.at, v.event_id, v.certificate, o.version AS content_version, o.at AS content_at,
       o.event_id AS content_event, o.original_type, o.original, d.media_type, d.sha256, d.content
FROM licence_version v
LEFT JOIN LATERAL (
    SELECT version, at, event_id, original_type, original FROM licence_version
    WHERE licence_id = v.licence_id AND version <= v.version AND original IS NOT NULL
    ORDER BY version DESC LIMIT 1) o ON true
LEFT JOIN licence_document d ON d.licence_id = v.licence_id AND d.sha256 = v.document
WHERE v.licence_id = $1 AND v.version = $2

-- name: held_by
-- Licences of one holder, those that can be used first.
SELECT licence_id FROM licence
WHERE holder = ANY ($2::text[]) AND holder <> '' AND split_part(licence_id, '/', 1) = $1
ORDER BY status <> 'Valid', licence_id LIMIT $3

-- name: past_accounts
-- Balances are sums of movements; the unit is that of the last limit.
SELECT line_no, dim, coalesce((array_agg(detail ORDER BY lv DESC, seq DESC) FILTER (WHERE kind = 'CAP'))[1], '') AS unit,
       trim_scale(sum(d_cap))::text AS cap, trim_scale(sum(d_res))::text AS reserved,
       trim_scale(sum(d_cons))::text AS consumed
FROM movement
WHERE licence_id = $1 AND ($2::timestamptz IS NULL OR at::timestamptz <= $2) AND ($3::bigint IS NULL OR lv <= $3)
  AND kind NOT IN ('VERSION', 'STATUS')
GROUP BY line_no, dim ORDER BY line_no, dim

-- name: past_state
-- Which version was in force, and what its status had become since.
SELECT max(lv) AS lv,
       (array_agg(detail ORDER BY lv DESC, seq DESC) FILTER (WHERE kind = 'VERSION'))[1] AS version,
       max(lv) FILTER (WHERE kind = 'VERSION') AS version_lv,
       (array_agg(detail ORDER BY lv DESC, seq DESC) FILTER (WHERE kind = 'STATUS'))[1] AS status,
       max(lv) FILTER (WHERE kind = 'STATUS') AS status_lv
FROM movement
WHERE licence_id = $1 AND ($2::timestamptz IS NULL OR at::timestamptz <= $2) AND ($3::bigint IS NULL OR lv <= $3)

-- name: version_status
-- What a version came in force with.
SELECT status FROM licence_version WHERE licence_id = $1 AND version = $2

-- name: moves
-- The journal is kept by licence, so it is searched licence by licence.
SELECT licence_id, lv, seq, line_no, dim, kind, at, event_id, claim, trim_scale(d_res)::text AS reserved,
       trim_scale(d_cons)::text AS consumed
FROM movement WHERE licence_id = ANY($1::text[]) AND starts_with(claim, $2) ORDER BY licence_id, lv, seq
