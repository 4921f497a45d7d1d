-- name: licences
-- By number (from its beginning, with or without issuer) or by the holder's identification; $2 confines to one state.
SELECT licence_id, status, version, valid_from, valid_to, holder, document_code
FROM licence_index
WHERE (starts_with(licence_id, $1) OR starts_with(upper(number), upper($1)) OR starts_with(holder, upper($1)))
  AND ($2 = '' OR issuer = $2)
ORDER BY status <> 'Valid', licence_id LIMIT $3

-- name: placeholders
-- Numbers that declarations cite and nobody issued.
SELECT licence_id, status, version, NULL::date AS valid_from, NULL::date AS valid_to, holder, '' AS document_code
FROM licence WHERE version = 0 AND licence_id = $1 AND ($2 = '' OR split_part(licence_id, '/', 1) = $2)

-- name: declarations
-- By MRN or EXPORTER/LRN from the beginning, by LRN or exporter as a whole; $2 confines customs to their own state, $3
-- licensing officers to declarations that cite licences of theirs.
SELECT decl_id, state, lrn, exporter, touched_at,
       (SELECT count(*) FROM claim c WHERE c.decl_id = d.decl_id) AS claims
FROM declaration d
WHERE (starts_with(decl_id, $1) OR lrn = $1 OR exporter = upper($1))
  AND ($2 = '' OR CASE WHEN decl_id LIKE '%/%' THEN left(decl_id, 2) ELSE substr(decl_id, 3, 2) END = $2)
  AND ($3 = '' OR EXISTS (SELECT FROM claim c WHERE c.decl_id = d.decl_id AND split_part(c.licence_id, '/', 1) = $3))
ORDER BY decl_id LIMIT $4

-- name: licence
-- One licence as it stands.
SELECT licence_id, version, status, lv, chain, frozen, snapshot, holder,
       (SELECT count(DISTINCT p.decl_id) FROM parked p
        WHERE p.licence_id IN (l.licence_id, '*' || substr(l.licence_id, strpos(l.licence_id, '/')))) AS waiting
FROM licence l WHERE licence_id = $1

-- name: accounts
-- Its balances.
SELECT line_no, dim, unit, cap, reserved, consumed, over, available FROM account
WHERE licence_id = $1 ORDER BY line_no, dim

-- name: versions
-- What was ever in force.
SELECT version, status, at, event_id, written_at, length(certificate) AS bytes FROM licence_version
WHERE licence_id = $1 ORDER BY version DESC

-- name: certificate
-- The document of one version.
SELECT certificate FROM licence_version WHERE licence_id = $1 AND version = $2

-- name: status_changes
-- Every change of the status, the newest first.
SELECT change_no, old, new, reason, at, event_id, licence_version FROM status_change
WHERE licence_id = $1 ORDER BY change_no DESC LIMIT 100

-- name: days
-- What moved on each of the newest days, by kind.
SELECT left(at, 10) AS day, kind, count(*) AS number
FROM (SELECT at, kind FROM movement WHERE licence_id = $1 AND kind NOT IN ('VERSION', 'STATUS', 'CAP')
      ORDER BY lv DESC, seq DESC LIMIT 2000) AS newest
GROUP BY 1, 2 ORDER BY 1 DESC, 2

-- name: journal
-- A page of the journal backwards from an entry, with one row more: its hash is what the page's first row follows on.
SELECT licence_id, lv, seq, line_no, dim, kind, event_id, claim, d_cap, d_res, d_cons, d_over, at, detail, chain, written_at
FROM movement WHERE licence_id = $1 AND (lv, seq) <= ($2::bigint, $3::int) ORDER BY lv DESC, seq DESC LIMIT $4

-- name: journal_onwards
-- The journal forwards from behind an entry.
SELECT licence_id, lv, seq, line_no, dim, kind, event_id, claim, d_cap, d_res, d_cons, d_over, at, detail, chain
FROM movement WHERE licence_id = $1 AND (lv, seq) > ($2::bigint, $3::int) ORDER BY lv, seq LIMIT $4

-- name: claims_of_licence
-- Those that are open first (an index has them), then by declaration.
SELECT decl_id, item, doc_seq, line_no, document_code, state, outcome, reasons, q_req, q_res, q_cons, q_unc,
       v_req, v_res, v_cons, v_unc
FROM claim WHERE licence_id = $1 AND state IN ('CHECKED', 'WAITING', 'REFUSED', 'RESERVED', 'NOT_MANAGED')
ORDER BY decl_id, item, doc_seq LIMIT $2

-- name: claims_closed
-- Declarations that moved something lately, from the journal: claims have no index by licence once they are closed.
SELECT DISTINCT ON (c.decl_id, c.item, c.doc_seq, c.line_no)
       c.decl_id, c.item, c.doc_seq, c.line_no, c.document_code, c.state, c.outcome, c.reasons, c.q_req, c.q_res,
       c.q_cons, c.q_unc, c.v_req, c.v_res, c.v_cons, c.v_unc
FROM (SELECT DISTINCT split_part(claim, '#', 1) AS decl_id
      FROM (SELECT claim FROM movement WHERE licence_id = $1 AND claim <> ''
            ORDER BY lv DESC, seq DESC LIMIT 1000) AS newest) AS lately
JOIN claim c USING (decl_id)
WHERE c.licence_id = $1 AND c.state NOT IN ('CHECKED', 'WAITING', 'REFUSED', 'RESERVED', 'NOT_MANAGED')
ORDER BY c.decl_id, c.item, c.doc_seq, c.line_no LIMIT $2

-- name: declaration
-- One declaration.
SELECT decl_id, dv, facts, waiting_for, joined, lrn, exporter, state, touched_at FROM declaration WHERE decl_id = $1

-- name: claims
-- Its claims, with the units they are counted in.
SELECT item, doc_seq, licence_id, line_no, document_code, state, outcome, reasons, source,
       q_req, q_res, q_cons, q_unc, v_req, v_res, v_cons, v_unc,
       coalesce((SELECT unit FROM account a WHERE dim = 'QTY' AND a.licence_id = c.licence_id
                 AND a.line_no IN (0, c.line_no) ORDER BY a.line_no DESC LIMIT 1), '') AS unit,
       coalesce((SELECT unit FROM account a WHERE dim = 'VAL' AND a.licence_id = c.licence_id
                 AND a.line_no IN (0, c.line_no) ORDER BY a.line_no DESC LIMIT 1), '') AS currency
FROM claim c WHERE decl_id = $1 ORDER BY item, doc_seq, licence_id, line_no

-- name: movements
-- What it moved, licence by licence.
SELECT at, kind, licence_id, line_no, dim, claim, d_res, d_cons, detail, lv, seq FROM movement
WHERE licence_id = ANY($1::text[]) AND starts_with(claim, $2) ORDER BY at, licence_id, lv, seq LIMIT 500

-- name: outcome_versions
-- Every answer that went to customs.
SELECT agg_ver, at, length(body) AS bytes FROM outbox WHERE agg_type = 'outcome' AND agg_id = $1
ORDER BY agg_ver DESC LIMIT 100

-- name: outcome
-- One answer as it was published.
SELECT body FROM outbox WHERE agg_type = 'outcome' AND agg_id = $1 AND agg_ver = $2

-- name: read_so_far
-- How far each partition was taken in.
SELECT topic, partition, next_record FROM consumer_offset ORDER BY topic, partition

-- name: written_so_far
-- Outbox batches ever made: the identity counts them.
SELECT coalesce(max(batch_id), 0) FROM outbox

-- name: quarantine
-- The newest records put aside, those nobody dealt with or all.
SELECT q.quarantine_id, q.topic, q.partition, q.record, q.code, q.field, q.value, q.message, q.event_id, q.at, q.resolved,
       r.kind AS proposed, r.proposed_name
FROM quarantine q LEFT JOIN console_repair r ON r.quarantine_id = q.quarantine_id AND r.state = 'PROPOSED'
WHERE $1 OR q.resolved = '' ORDER BY q.at DESC, q.quarantine_id LIMIT $2

-- name: refused_licence_events
-- Licence events of the last days that were refused, or whose act counts without its content; acts without effect first.
SELECT r.licence_id, r.kind, r.version, r.act, r.written_at, coalesce(l.status, 'Unknown') AS status, l.version > 0 AS known,
       (SELECT string_agg(DISTINCT one ->> 'code', ' ') FROM json_array_elements(r.findings::json) AS one) AS codes
FROM refused_licence_event r LEFT JOIN licence l USING (licence_id)
WHERE r.written_at > now() - interval '7 days'
ORDER BY r.act IN ('KEPT', 'LOST') DESC, r.written_at DESC, r.event_id LIMIT $1

-- name: quarantined
-- One of them, whole.
SELECT quarantine_id, topic, partition, record, code, field, value, message, event_id, at, resolved, key, raw, headers
FROM quarantine WHERE quarantine_id = $1

-- name: repairs
-- What was proposed for it, and what became of that.
SELECT repair_id, kind, value, reason, state, proposed_by, proposed_name, proposed_at, decided_name, decided_at,
       CASE WHEN state = 'PROPOSED' THEN repair_shown(r) END AS shown
FROM console_repair r
WHERE quarantine_id = $1 ORDER BY repair_id DESC

-- name: notices
-- Announced times of unavailability, the newest first.
SELECT notice_id, version, function, kind, begins, ends, reason, degraded, announced_by, issuer FROM notice
ORDER BY begins DESC, notice_id LIMIT 200

-- name: audit
-- The trail backwards from an entry.
SELECT audit_no, at, person, identity, roles, action, subject, before, after FROM console_audit
WHERE ($1 = '' OR person = $1) AND ($2 = '' OR starts_with(action, $2)) AND ($3::bigint = 0 OR audit_no < $3)
ORDER BY audit_no DESC LIMIT $4
