-- name: register
-- First sight of event ids; those that are known are not returned. Ids come sorted, so two writers never deadlock.
INSERT INTO inbox (event_id, sha256, source, topic, partition, record)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[])
ON CONFLICT DO NOTHING RETURNING event_id

-- name: known
-- What is stored of event ids seen before.
SELECT i.event_id, i.sha256, coalesce(a.body, '') AS body
FROM inbox i LEFT JOIN answer a USING (event_id) WHERE i.event_id = ANY($1::text[])

-- name: outcome_document
-- What was published about a declaration in one version; rows of the outbox are never deleted.
SELECT body FROM outbox WHERE agg_type = 'outcome' AND agg_id = $1 AND agg_ver = $2

-- name: take_wakes
-- Wake rows that no other worker holds; order does not matter here, so skipping is safe.
SELECT wake_id, decl_id, cause, at, trace FROM wake WHERE not_before <= now() ORDER BY wake_id LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: postpone_wake
-- One that fails comes again later, each time after twice as long, and keeps nobody else waiting.
UPDATE wake SET failures = failures + 1,
       not_before = now() + make_interval(secs => least($2::float8 * 2 ^ least(failures, 20), 86400))
WHERE wake_id = $1

-- name: peek_references
-- What declarations refer to; what is set never changes.
SELECT decl_id, facts FROM declaration WHERE decl_id = ANY($1::text[])

-- name: create_anchors
-- Rows to lock are made here; the lock is taken by the next statement.
INSERT INTO anchor (lrn) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING RETURNING lrn

-- name: lock_anchors
-- In order of LRN.
SELECT lrn, exporters, marks FROM anchor WHERE lrn = ANY($1::text[]) ORDER BY lrn FOR UPDATE

-- name: create_declarations
-- Placeholders first; the rows returned are ours alone until the commit.
INSERT INTO declaration (decl_id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING RETURNING decl_id

-- name: lock_declarations
-- In order of id, in a statement of its own.
SELECT decl_id, dv, facts, said, waiting_for, joined, identity FROM declaration
WHERE decl_id = ANY($1::text[]) ORDER BY decl_id FOR UPDATE

-- name: claims_of
-- Claims change only under the lock of their declaration.
SELECT decl_id, item, doc_seq, licence_id, line_no, state, q_req::text, q_res::text, q_cons::text, q_unc::text,
       v_req::text, v_res::text, v_cons::text, v_unc::text, attempt, outcome, reasons, document_code, source,
       refused_at::text
FROM claim WHERE decl_id = ANY($1::text[])

-- name: known_under
-- Licences of any issuer that have a version; the expression is that of an index.
SELECT licence_id FROM licence
WHERE substr(licence_id, strpos(licence_id, '/') + 1) = ANY($1::text[]) AND version > 0 ORDER BY licence_id

-- name: create_numbers
-- Rows to lock are made here; the lock is taken by the next statement.
INSERT INTO licence_number (number) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING

-- name: lock_numbers
-- In order of number, after declarations and before licences.
SELECT FROM licence_number WHERE number = ANY($1::text[]) ORDER BY number FOR UPDATE

-- name: create_licences
-- Placeholders of version 0.
INSERT INTO licence (licence_id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING

-- name: lock_licences
-- In order of id, in a statement of its own, so that it sees what was committed while we waited.
SELECT licence_id, version, payload_sha256, status, expired_version, lv, nv, cv, iv, sv, chain, frozen
FROM licence
WHERE licence_id = ANY($1::text[]) ORDER BY licence_id FOR UPDATE

-- name: peek_licences
-- Licences that another one refers to: what they say is looked at, nothing of them is changed.
SELECT licence_id, version, payload_sha256, status, expired_version, lv, nv, cv, iv, sv, chain, frozen
FROM licence
WHERE licence_id = ANY($1::text[])

-- name: snapshots
-- Licence content for versions that are not in memory; a version never changes.
SELECT licence_id, version, snapshot FROM licence WHERE licence_id = ANY($1::text[])

-- name: accounts
-- A new statement after the locks, so a fresh view. Figures come without trailing zeros: whole ones are then written
-- back and into messages as they are.
SELECT licence_id, line_no, dim, unit, trim_scale(cap)::text, trim_scale(reserved)::text, trim_scale(consumed)::text,
       replaced
FROM account
WHERE licence_id = ANY($1::text[])

-- name: parked_on
-- Who waits for licences of these numbers, whoever issued them.
SELECT DISTINCT substr(licence_id, strpos(licence_id, '/') + 1) AS number, decl_id FROM parked
WHERE substr(licence_id, strpos(licence_id, '/') + 1) = ANY($1::text[]) ORDER BY number, decl_id

-- name: bars
-- Exporters barred from general authorisations.
SELECT issuer, eori, document_code, coalesce(from_day::text, '') FROM exporter_bar WHERE eori = ANY($1::text[])

-- name: open_claims
-- Claims whose customs office still has an interest.
SELECT licence_id, decl_id, item, doc_seq, state, document_code FROM claim
WHERE licence_id = ANY($1::text[]) AND state IN ('CHECKED', 'WAITING', 'REFUSED', 'RESERVED', 'NOT_MANAGED')
ORDER BY licence_id, decl_id, item, doc_seq

-- name: value_holders
-- Declarations whose claims are restated, or judged anew, when one of these licences is stated in another currency.
SELECT DISTINCT decl_id FROM claim
WHERE licence_id = ANY($1::text[])
  AND (v_req <> 0 OR v_res <> 0 OR v_cons <> 0 OR v_unc <> 0
       OR (state IN ('REFUSED', 'UNCOVERED') AND 'CURRENCY_MISMATCH' = ANY(string_to_array(reasons, ' '))))

-- name: refused_since
-- Declarations refused on a licence at its moment or later, for which no wake of that moment or before waits already.
SELECT DISTINCT c.licence_id, c.decl_id
FROM unnest($1::text[], $2::timestamptz[]) AS m(licence_id, moment)
JOIN claim c ON c.licence_id = m.licence_id AND c.refused_at >= m.moment AND c.refused_at > '-infinity'
WHERE NOT EXISTS (SELECT FROM wake w WHERE w.decl_id = c.decl_id AND w.at::timestamptz <= m.moment)
ORDER BY c.licence_id, c.decl_id

-- name: facts_of
-- What customs said of declarations, once for all their claims.
SELECT decl_id, facts FROM declaration WHERE decl_id = ANY($1::text[])

-- name: cited_licences
-- Licences of one issuer on which some claim with one of these document codes is open (for an exporter's bar).
SELECT DISTINCT licence_id FROM claim
WHERE state IN ('CHECKED', 'WAITING', 'REFUSED', 'RESERVED', 'NOT_MANAGED') AND split_part(licence_id, '/', 1) = $1
  AND document_code = ANY($2::text[]) AND decl_id IN (
    SELECT decl_id FROM declaration
    WHERE exporter = ANY($3::text[]) OR convert_from(facts, 'UTF8')::jsonb #>> '{payload,exporter}' = ANY($3::text[]))

-- name: write_anchors
-- What was sent under these local reference numbers.
UPDATE anchor SET exporters = n.exporters, marks = n.marks
FROM unnest($1::text[], $2::text[], $3::text[]) AS n(lrn, exporters, marks) WHERE anchor.lrn = n.lrn

-- name: write_declarations
-- One update per declaration and batch.
UPDATE declaration SET dv = n.dv, facts = n.facts, said = n.said, waiting_for = n.waiting_for, joined = n.joined,
       lrn = n.lrn, exporter = n.exporter, state = n.state, unpresented_since = n.unpresented_since,
       identity = n.identity, undecided_since = n.undecided_since,
       unreleased_since = n.unreleased_since, touched_at = now()
FROM unnest($1::text[], $2::bigint[], $3::bytea[], $4::text[], $5::text[], $6::bool[], $7::text[], $8::text[],
            $9::text[], $10::timestamptz[], $11::bytea[], $12::timestamptz[], $13::timestamptz[])
     AS n(decl_id, dv, facts, said, waiting_for, joined, lrn, exporter, state, unpresented_since, identity,
          undecided_since, unreleased_since)
WHERE declaration.decl_id = n.decl_id

-- name: write_claims
-- The claim's last state; its history is in the journal.
INSERT INTO claim AS c (decl_id, item, doc_seq, licence_id, line_no, state, q_req, q_res, q_cons, q_unc,
                        v_req, v_res, v_cons, v_unc, attempt, outcome, reasons, document_code, source,
                        refused_at)
SELECT * FROM unnest($1::text[], $2::text[]::int[], $3::text[]::int[], $4::text[], $5::text[]::int[], $6::text[],
                     $7::text[]::numeric[], $8::text[]::numeric[], $9::text[]::numeric[], $10::text[]::numeric[],
                     $11::text[]::numeric[], $12::text[]::numeric[], $13::text[]::numeric[], $14::text[]::numeric[],
                     $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[]::timestamptz[])
ON CONFLICT (decl_id, item, doc_seq, licence_id, line_no) DO UPDATE SET
    state = EXCLUDED.state, q_req = EXCLUDED.q_req, q_res = EXCLUDED.q_res, q_cons = EXCLUDED.q_cons,
    q_unc = EXCLUDED.q_unc, v_req = EXCLUDED.v_req, v_res = EXCLUDED.v_res, v_cons = EXCLUDED.v_cons,
    v_unc = EXCLUDED.v_unc, attempt = EXCLUDED.attempt, outcome = EXCLUDED.outcome, reasons = EXCLUDED.reasons,
    document_code = EXCLUDED.document_code, source = EXCLUDED.source,
    refused_at = EXCLUDED.refused_at

-- name: append_movements
-- Journal entries, where there are too few for COPY.
INSERT INTO movement (licence_id, lv, seq, line_no, dim, kind, event_id, claim, d_cap, d_res, d_cons, d_over, at,
                      detail, chain, effect)
SELECT * FROM unnest($1::text[], $2::text[]::bigint[], $3::text[]::int[], $4::text[]::int[], $5::text[], $6::text[],
                     $7::text[], $8::text[], $9::text[]::numeric[], $10::text[]::numeric[], $11::text[]::numeric[],
                     $12::text[]::numeric[], $13::text[], $14::text[], $15::text[], $16::text[]::uuid[])

-- name: append_answers
-- Answers to events, where there are too few for COPY.
INSERT INTO answer (event_id, body) SELECT * FROM unnest($1::text[], $2::text[])

-- name: write_licences
-- Everything but the content, which only a new version changes.
UPDATE licence SET version = n.version, payload_sha256 = n.sha, status = n.status, expired_version = n.expired,
       lv = n.lv, nv = n.nv, cv = n.cv, iv = n.iv, sv = n.sv, chain = n.chain
FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::bigint[],
            $9::bigint[], $10::bigint[], $11::bytea[])
     AS n(licence_id, version, sha, status, expired, lv, nv, cv, iv, sv, chain)
WHERE licence.licence_id = n.licence_id

-- name: write_snapshots
-- The content of the version in force.
UPDATE licence SET snapshot = n.snapshot, valid_to = n.valid_to, holder = n.holder
FROM unnest($1::text[], $2::bytea[], $3::date[], $4::text[]) AS n(licence_id, snapshot, valid_to, holder)
WHERE licence.licence_id = n.licence_id

-- name: write_index
-- What a new version is found by; terms come as one text each, joined by the unit separator.
INSERT INTO licence_index AS i (licence_id, issuer, number, version, document_code, direction, status, valid_from,
                                valid_to, holder, terms)
SELECT licence_id, issuer, number, version, code, direction, status, valid_from, valid_to, holder,
       string_to_array(terms, chr(31))
FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::date[], $9::date[],
            $10::text[], $11::text[])
     AS n(licence_id, issuer, number, version, code, direction, status, valid_from, valid_to, holder, terms)
ON CONFLICT (licence_id) DO UPDATE SET
    number = EXCLUDED.number, version = EXCLUDED.version, document_code = EXCLUDED.document_code,
    direction = EXCLUDED.direction, status = EXCLUDED.status, valid_from = EXCLUDED.valid_from,
    valid_to = EXCLUDED.valid_to, holder = EXCLUDED.holder, terms = EXCLUDED.terms, changed_at = now()

-- name: write_index_status
-- Only a licence whose status is another than before.
UPDATE licence_index i SET status = n.status, changed_at = now()
FROM unnest($1::text[], $2::text[]) AS n(licence_id, status) WHERE i.licence_id = n.licence_id

-- name: write_accounts
-- One row per account and batch, whatever the number of movements.
INSERT INTO account AS a (licence_id, line_no, dim, unit, replaced, cap, reserved, consumed, over, available)
SELECT licence_id, line_no, dim, unit, replaced, cap, reserved, consumed,
       greatest(reserved + consumed - cap, 0), greatest(cap - reserved - consumed, 0)
FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[]::numeric[], $6::text[]::numeric[],
            $7::text[]::numeric[], $8::text[]) AS n(licence_id, line_no, dim, unit, cap, reserved, consumed, replaced)
ON CONFLICT (licence_id, line_no, dim) DO UPDATE SET
    unit = EXCLUDED.unit, replaced = EXCLUDED.replaced, cap = EXCLUDED.cap, reserved = EXCLUDED.reserved, consumed = EXCLUDED.consumed,
    over = EXCLUDED.over, available = EXCLUDED.available

-- name: write_versions
-- A licence version and its certificate, for ever.
INSERT INTO licence_version (licence_id, version, event_id, at, status, snapshot, certificate, document, original_type,
                             original, payload_sha256, content)
SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::text[],
                     $9::text[], $10::bytea[], $11::text[], $12::text[])

-- name: write_documents
-- A file attached to a licence, kept once under its hash.
INSERT INTO licence_document (licence_id, sha256, media_type, content)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) ON CONFLICT DO NOTHING

-- name: write_refused_licence_events
-- Licence events refused as a whole or in their content, and acts that wait for their licence.
INSERT INTO refused_licence_event (event_id, licence_id, kind, version, verdict, act, status, sub_status, bare,
                                   payload_sha256, findings, at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::bool[], $10::text[], $11::text[], $12::text[])

-- name: version_notes
-- Which versions of licences were in force, by which data, and whether their content was their own.
SELECT licence_id, version, payload_sha256, content FROM licence_version WHERE licence_id = ANY($1::text[])

-- name: kept_acts
-- Acts that came before their licences.
SELECT event_id, licence_id, kind, version, verdict, act, status, sub_status, bare, payload_sha256, findings, at
FROM refused_licence_event WHERE licence_id = ANY($1::text[]) AND act = 'KEPT' ORDER BY licence_id, version, event_id

-- name: last_lines
-- Lines as the last version said that had them; few licences lose a line while it is in use.
SELECT DISTINCT ON (v.licence_id, n.line_no) v.licence_id, n.line_no, line::text AS line
FROM unnest($1::text[], $2::int[]) AS n(licence_id, line_no) JOIN licence_version v USING (licence_id)
CROSS JOIN LATERAL json_array_elements(convert_from(v.snapshot, 'UTF8')::json -> 'lines') AS line
WHERE (line ->> 'line_no')::int = n.line_no
ORDER BY v.licence_id, n.line_no, v.version DESC

-- name: write_bars
-- A bar is told once or more often; the earliest day counts.
INSERT INTO exporter_bar (issuer, eori, document_code, from_day)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[])
ON CONFLICT (issuer, eori, document_code) DO UPDATE SET from_day = least(exporter_bar.from_day, EXCLUDED.from_day)

-- name: queue_status_changes
-- Drawn under the locks of the licences, so the order of this queue is that of each licence's changes.
INSERT INTO status_unsent (licence_id, change_no) SELECT * FROM unnest($1::text[], $2::bigint[])

-- name: park
-- Who waits now.
INSERT INTO parked (licence_id, decl_id) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING

-- name: unpark
-- Who waits no longer.
DELETE FROM parked p USING unnest($1::text[], $2::text[]) AS n(licence_id, decl_id)
WHERE p.licence_id = n.licence_id AND p.decl_id = n.decl_id

-- name: write_wakes
-- Declarations for the worker to settle again.
INSERT INTO wake (decl_id, cause, at, trace) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])

-- name: delete_wakes
-- Settled in this transaction.
WITH done AS (DELETE FROM wake WHERE wake_id = ANY($1::bigint[]) RETURNING cause, decl_id)
INSERT INTO woken (event_id, cause, decl_id)
SELECT encode(sha256(int8send(4) || 'wake'::bytea
                     || int8send(octet_length(cause)) || convert_to(cause, 'UTF8')
                     || int8send(octet_length(decl_id)) || convert_to(decl_id, 'UTF8')), 'hex'), cause, decl_id
FROM done ON CONFLICT DO NOTHING

-- name: write_quarantine
-- The id is made from place and content, so a record read again is not put aside twice.
INSERT INTO quarantine (quarantine_id, topic, partition, record, code, field, value, message, event_id, key, raw, headers)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::bytea[], $11::bytea[], $12::bytea[])
ON CONFLICT DO NOTHING RETURNING quarantine_id

-- name: write_mismatches
-- Goods released against the verdict.
INSERT INTO mismatch (decl_id, item, doc_seq, licence_id, line_no, event_id, member_state, source, verdict, reasons,
                      recorded, at)
SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::bool[], $12::timestamptz[])

-- name: new_batch
-- One batch per transaction; its id is drawn while the locks are held, which orders the versions of an aggregate.
INSERT INTO unsent DEFAULT VALUES RETURNING batch_id

-- name: append_outbox
-- A batch with its messages, where there are too few for COPY.
WITH batch AS (INSERT INTO unsent DEFAULT VALUES RETURNING batch_id)
INSERT INTO outbox (agg_type, agg_id, agg_ver, batch_id, pos, key, body, at, trace)
SELECT n.agg_type, n.agg_id, n.agg_ver, batch.batch_id, n.pos, n.key, n.body, n.at, n.trace
FROM batch, unnest($1::text[], $2::text[], $3::bigint[], $4::int[], $5::text[], $6::bytea[], $7::text[], $8::text[])
     AS n(agg_type, agg_id, agg_ver, pos, key, body, at, trace)

-- name: write_offsets
-- Never backwards, whatever a slow former owner of the partition writes; and only where the database is as far as the
-- reader had seen it, in the same count. A row that is not returned was refused.
INSERT INTO consumer_offset AS c (topic, partition, next_record)
SELECT n.topic, n.partition, n.next_record
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[])
     AS n(topic, partition, next_record, epoch, reached)
WHERE n.reached IS NULL OR EXISTS (
    SELECT FROM consumer_offset o
    WHERE o.topic = n.topic AND o.partition = n.partition AND o.epoch = n.epoch AND o.next_record >= n.reached)
ON CONFLICT (topic, partition) DO UPDATE SET next_record = greatest(c.next_record, EXCLUDED.next_record)
RETURNING c.topic, c.partition
