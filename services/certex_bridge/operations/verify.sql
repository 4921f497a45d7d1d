-- name: account_figures
-- The constraints of a balance, tested on the data; a restored or imported table may not have them. NULL: of all licences.
SELECT (SELECT count(*) FROM account WHERE $1::text[] IS NULL OR licence_id = ANY($1)) AS examined, (
    SELECT format('account %s line %s %s: authorised %s, over %s, available %s, reserved %s, consumed %s',
                  licence_id, line_no, dim, cap, over, available, reserved, consumed)
    FROM account
    WHERE ($1::text[] IS NULL OR licence_id = ANY($1))
      AND (least(cap, reserved, consumed, over, available) < 0
           OR cap + over <> available + reserved + consumed
           OR (available <> 0 AND over <> 0)
           OR cap + over + reserved + consumed + available = 'NaN')
    ORDER BY licence_id, line_no, dim LIMIT 1) AS wrong

-- name: account_journal
-- A balance is what the journal adds up to. NULL: of all licences.
WITH journal AS (
    SELECT licence_id, line_no, dim, sum(d_cap) AS cap, sum(d_res) AS reserved, sum(d_cons) AS consumed,
           sum(d_over) AS over
    FROM movement WHERE dim <> 'NONE' AND ($1::text[] IS NULL OR licence_id = ANY($1))
    GROUP BY licence_id, line_no, dim)
SELECT (SELECT count(*) FROM account WHERE $1::text[] IS NULL OR licence_id = ANY($1)) AS examined, (
    SELECT format('account %s line %s %s: authorised %s, reserved %s, consumed %s, over %s; its movements add up to '
                  '%s, %s, %s, %s',
                  licence_id, line_no, dim, coalesce(a.cap::text, 'missing'), a.reserved, a.consumed, a.over,
                  coalesce(j.cap, 0), coalesce(j.reserved, 0), coalesce(j.consumed, 0), coalesce(j.over, 0))
    FROM journal j FULL JOIN (SELECT * FROM account WHERE $1::text[] IS NULL OR licence_id = ANY($1)) a
    USING (licence_id, line_no, dim)
    WHERE (a.cap, a.reserved, a.consumed, a.over) IS DISTINCT FROM
          (coalesce(j.cap, 0), coalesce(j.reserved, 0), coalesce(j.consumed, 0), coalesce(j.over, 0))
    ORDER BY licence_id, line_no, dim LIMIT 1) AS wrong

-- name: account_claims
-- Reserved and consumed are what the claims hold: of the line, or of the whole licence for line 0. Both sides are added
-- up together: a join in the order of the accounts would look through all claims once for each of them.
WITH held AS MATERIALIZED (
    SELECT c.licence_id, c.line_no, f.dim, sum(f.reserved) AS reserved, sum(f.consumed) AS consumed
    FROM claim c CROSS JOIN LATERAL (VALUES ('QTY', q_res, q_cons), ('VAL', v_res, v_cons)) f(dim, reserved, consumed)
    WHERE (f.reserved, f.consumed) <> (0, 0)
    GROUP BY c.licence_id, c.line_no, f.dim),
sides AS (
    SELECT licence_id, line_no, dim, true AS kept, a.reserved, a.consumed, 0 AS held_res, 0 AS held_cons FROM account a
    UNION ALL SELECT licence_id, line_no, dim, false, 0, 0, reserved, consumed FROM held WHERE line_no <> 0
    UNION ALL SELECT licence_id, 0, dim, false, 0, 0, reserved, consumed FROM held)
SELECT (SELECT count(*) FROM account) AS examined, (
    SELECT format('account %s line %s %s: reserved %s, consumed %s; its claims hold %s, %s', licence_id, line_no, dim,
                  sum(reserved), sum(consumed), sum(held_res), sum(held_cons))
    FROM sides GROUP BY licence_id, line_no, dim
    HAVING bool_or(kept) AND (sum(reserved), sum(consumed)) IS DISTINCT FROM (sum(held_res), sum(held_cons))
    ORDER BY licence_id, line_no, dim LIMIT 1) AS wrong

-- name: frozen_licences
-- A licence is frozen, or is not, as the last word of the audit trail about it says.
WITH told AS (
    SELECT DISTINCT ON (subject) subject AS licence_id, action = 'licence.frozen' AS frozen FROM console_audit
    WHERE action IN ('licence.frozen', 'licence.unfrozen') ORDER BY subject, audit_no DESC)
SELECT (SELECT count(*) FROM licence) AS examined, (
    SELECT format('licence %s is %s, and nobody said so', licence_id, CASE WHEN l.frozen THEN 'frozen' ELSE 'not frozen' END)
    FROM licence l LEFT JOIN told USING (licence_id)
    WHERE l.frozen <> coalesce(told.frozen, false) ORDER BY licence_id LIMIT 1) AS wrong

-- name: claim_states
-- No figure is negative, what has ended holds nothing, what was released reserves nothing, figures have an account.
SELECT (SELECT count(*) FROM claim) AS examined, (
    SELECT format('claim %s#%s.%s@%s:%s: %s with reserved %s and %s, consumed %s and %s',
                  decl_id, item, doc_seq, licence_id, line_no, state, q_res, v_res, q_cons, v_cons)
    FROM claim c
    WHERE least(q_req, q_res, q_cons, q_unc, v_req, v_res, v_cons, v_unc) < 0
       OR state NOT IN ('CHECKED', 'WAITING', 'REFUSED', 'RESERVED', 'CONSUMED', 'UNCOVERED', 'UNRESERVED',
                        'WITHDRAWN', 'CLOSED', 'NOT_MANAGED', 'NOT_APPLICABLE')
       OR (state NOT IN ('RESERVED', 'CONSUMED', 'UNCOVERED') AND (q_res, q_cons, v_res, v_cons) <> (0, 0, 0, 0))
       OR (state IN ('CONSUMED', 'UNCOVERED') AND (q_res, v_res) <> (0, 0))
       OR (state = 'RESERVED' AND (q_res, v_res) = (0, 0) AND (q_req, v_req) <> (0, 0))
       OR (q_res + q_cons <> 0 AND NOT EXISTS (
              SELECT FROM account a
              WHERE a.licence_id = c.licence_id AND a.line_no IN (0, c.line_no) AND a.dim = 'QTY'))
       OR (v_res + v_cons <> 0 AND NOT EXISTS (
              SELECT FROM account a
              WHERE a.licence_id = c.licence_id AND a.line_no IN (0, c.line_no) AND a.dim = 'VAL'))
    ORDER BY decl_id, item, doc_seq, licence_id, line_no LIMIT 1) AS wrong

-- name: claim_journal
-- A claim holds what its movements add up to, on its line and on the whole licence; no movement lacks its claim.
WITH journal AS (
    SELECT claim, dim, line_no, sum(d_res) AS reserved, sum(d_cons) AS consumed, min(lv) AS lv
    FROM movement WHERE claim <> '' GROUP BY claim, dim, line_no),
held AS (
    SELECT format('%s#%s.%s@%s:%s', c.decl_id, c.item, c.doc_seq, c.licence_id, c.line_no) AS claim, f.dim, a.line_no,
           f.reserved, f.consumed
    FROM claim c CROSS JOIN LATERAL (VALUES ('QTY', q_res, q_cons), ('VAL', v_res, v_cons)) f(dim, reserved, consumed)
    JOIN account a ON a.licence_id = c.licence_id AND a.dim = f.dim AND a.line_no IN (0, c.line_no))
SELECT (SELECT count(*) FROM claim) AS examined, (
    SELECT CASE WHEN h.claim IS NULL
        THEN format('claim %s line %s %s has movements from lv %s on, and no row', claim, line_no, dim, j.lv)
        ELSE format('claim %s line %s %s: reserved %s, consumed %s; its movements add up to %s, %s', claim, line_no, dim,
                    h.reserved, h.consumed, coalesce(j.reserved, 0), coalesce(j.consumed, 0)) END
    FROM held h FULL JOIN journal j USING (claim, dim, line_no)
    WHERE h.claim IS NULL
       OR (h.reserved, h.consumed) IS DISTINCT FROM (coalesce(j.reserved, 0), coalesce(j.consumed, 0))
    ORDER BY claim, line_no, dim LIMIT 1) AS wrong

-- name: journal_unique
-- One event moves one figure of one claim once.
SELECT (SELECT count(*) FROM movement) AS examined, (
    SELECT format('movement %s lv %s seq %s: the same effect stands %s times', m.licence_id, m.lv, m.seq, twice.times)
    FROM movement m JOIN (
        SELECT effect, count(*) AS times FROM movement GROUP BY effect HAVING count(*) > 1) twice USING (effect)
    ORDER BY m.licence_id, m.lv, m.seq LIMIT 1) AS wrong

-- name: journal_events
-- Whatever moved was asked for: by an event of the inbox, or by a wake (its id comes from content) that one led to.
WITH RECURSIVE strange AS (
    SELECT m.event_id, min(m.licence_id) AS licence_id, min(m.lv) AS lv
    FROM movement m WHERE NOT EXISTS (SELECT FROM inbox i WHERE i.event_id = m.event_id)
    GROUP BY m.event_id),
ahead AS (
    SELECT s.event_id, s.event_id AS told FROM strange s
    UNION
    SELECT a.event_id, w.cause FROM ahead a JOIN woken w ON w.event_id = a.told
    WHERE w.event_id = encode(sha256(
        int8send(4) || 'wake'::bytea
        || int8send(octet_length(w.cause)) || convert_to(w.cause, 'UTF8')
        || int8send(octet_length(w.decl_id)) || convert_to(w.decl_id, 'UTF8')), 'hex')),
explained AS (SELECT a.event_id FROM ahead a JOIN inbox i ON i.event_id = a.told)
SELECT (SELECT count(*) FROM movement) AS examined, (
    SELECT format('movement %s lv %s: event %s is neither in the inbox nor a wake', s.licence_id, s.lv, s.event_id)
    FROM strange s WHERE NOT EXISTS (SELECT FROM explained e WHERE e.event_id = s.event_id)
    ORDER BY s.licence_id, s.lv LIMIT 1) AS wrong

-- name: licence_versions
-- The version in force is the last one written, with its content, and each version is in the journal.
SELECT (SELECT count(*) FROM licence_version) AS examined, coalesce((
    SELECT format('licence %s: version %s in force, version %s written last%s', licence_id, l.version,
                  coalesce(last.version, 0), CASE WHEN last.snapshot <> l.snapshot THEN ', with other content' END)
    FROM licence l FULL JOIN (
        SELECT DISTINCT ON (licence_id) licence_id, version, snapshot FROM licence_version
        ORDER BY licence_id, version DESC) last USING (licence_id)
    WHERE l.version IS DISTINCT FROM coalesce(last.version, 0) OR l.snapshot IS DISTINCT FROM last.snapshot
    ORDER BY licence_id LIMIT 1), (
    SELECT format('licence %s version %s of event %s: not in the journal', v.licence_id, v.version, v.event_id)
    FROM licence_version v WHERE NOT EXISTS (
        SELECT FROM movement m WHERE m.licence_id = v.licence_id AND m.kind = 'VERSION' AND m.event_id = v.event_id
           AND split_part(m.detail, ' ', 1) = 'version=' || v.version)
    ORDER BY v.licence_id, v.version LIMIT 1)) AS wrong

-- name: event_hashes
-- A version has the hash of its event's data: in the journal, beside its content, in the inbox, and while in force.
SELECT (SELECT count(*) FROM licence_version) AS examined, coalesce((
    SELECT format('licence %s version %s: the hash of event %s is not that of the %s', v.licence_id, v.version, v.event_id,
                  CASE WHEN i.sha256 = v.payload_sha256 THEN 'journal' ELSE 'inbox' END)
    FROM licence_version v LEFT JOIN inbox i USING (event_id) LEFT JOIN (
        SELECT licence_id, substring(detail FROM '^version=([0-9]{1,9}) ')::int AS version,
               substring(detail FROM ' sha256=([^ ]*)') AS told
        FROM movement WHERE kind = 'VERSION') journal USING (licence_id, version)
    WHERE v.payload_sha256 IS DISTINCT FROM i.sha256 OR v.payload_sha256 IS DISTINCT FROM journal.told
    ORDER BY v.licence_id, v.version LIMIT 1), (
    SELECT format('licence %s: the hash of version %s in force is another', l.licence_id, l.version)
    FROM licence l JOIN licence_version v USING (licence_id, version) WHERE l.payload_sha256 <> v.payload_sha256
    ORDER BY l.licence_id LIMIT 1)) AS wrong

-- name: originals
-- What an authority issued has the hash that the journal says, and what the journal names is there.
WITH told AS (
    SELECT m.licence_id, substring(m.detail FROM '^version=([0-9]{1,9}) ')::int AS version,
           substring(m.detail FROM ' original=([0-9a-f]{64})') AS original,
           substring(m.detail FROM ' document=([0-9a-f]{64})') AS document
    FROM movement m WHERE m.kind = 'VERSION')
SELECT (SELECT count(*) FROM licence_version) AS examined, coalesce((
    SELECT format('licence %s version %s: the bytes of its authority are not those of the journal', licence_id, version)
    FROM licence_version v FULL JOIN told t USING (licence_id, version)
    WHERE encode(sha256(v.original), 'hex') IS DISTINCT FROM t.original OR v.document IS DISTINCT FROM t.document
    ORDER BY licence_id, version LIMIT 1), (
    SELECT format('licence %s version %s: document %s %s', v.licence_id, v.version, v.document,
                  CASE WHEN d.sha256 IS NULL THEN 'is missing' ELSE 'has other content' END)
    FROM licence_version v LEFT JOIN licence_document d ON d.licence_id = v.licence_id AND d.sha256 = v.document
    WHERE v.document IS NOT NULL AND encode(sha256(d.content), 'hex') IS DISTINCT FROM v.document
    ORDER BY v.licence_id, v.version LIMIT 1)) AS wrong
-- name: kept_acts
-- An act that ends a licence and came before it counts as soon as the licence is known.
SELECT (SELECT count(*) FROM refused_licence_event WHERE act = 'KEPT') AS examined, (
    SELECT format('licence %s is %s although event %s, kept, ends it', licence_id, l.status, r.event_id)
    FROM refused_licence_event r JOIN licence l USING (licence_id)
    WHERE r.act = 'KEPT' AND r.status IN ('REVOKED', 'CANCELLED') AND l.version > 0
      AND l.status NOT IN ('Revoked', 'Cancelled')
    ORDER BY licence_id, r.event_id LIMIT 1) AS wrong

-- name: status_changes
-- Dense per licence, each beginning where the one before ended, the last ending at the licence's status.
WITH change AS (
    SELECT licence_id, change_no, old, new, count(*) OVER (PARTITION BY licence_id) AS kept,
           lag(new, 1, 'Unknown') OVER (PARTITION BY licence_id ORDER BY change_no) AS before,
           row_number() OVER (PARTITION BY licence_id ORDER BY change_no) AS place
    FROM status_change)
SELECT (SELECT count(*) FROM status_change) AS examined, coalesce((
    SELECT format('licence %s status change %s: %s to %s, after %s', licence_id, change_no, old, new, before)
    FROM change WHERE change_no <> place OR old <> before ORDER BY licence_id, change_no LIMIT 1), (
    SELECT format('licence %s: %s after %s status changes, the last to %s', l.licence_id, l.status, l.sv,
                  coalesce(c.new, 'nothing'))
    FROM licence l LEFT JOIN change c ON c.licence_id = l.licence_id AND c.change_no = c.kept
    WHERE l.sv <> coalesce(c.kept, 0) OR l.status <> coalesce(c.new, 'Unknown')
    ORDER BY l.licence_id LIMIT 1)) AS wrong

-- name: push_numbers
-- What a subscription was ever owed is numbered without a gap, and delivered in that order.
WITH owed AS (
    SELECT subscription_id, count(*) AS rows, max(number) AS last, min(number) FILTER (WHERE delivered_at IS NULL) AS next,
           max(number) FILTER (WHERE delivered_at IS NOT NULL) AS delivered
    FROM push GROUP BY subscription_id)
SELECT (SELECT count(*) FROM push) AS examined, (
    SELECT format('subscription %s: at number %s, %s pushes up to %s, next %s, delivered up to %s', subscription_id,
                  s.last_number, coalesce(rows, 0), coalesce(last, 0), coalesce(next, 0), coalesce(delivered, 0))
    FROM subscription s LEFT JOIN owed USING (subscription_id)
    WHERE (coalesce(rows, 0), coalesce(last, 0)) <> (s.last_number, s.last_number) OR next < delivered
    ORDER BY subscription_id LIMIT 1) AS wrong

-- name: outbox_versions
-- Every version of an aggregate was queued once: balances by lv, outcomes by dv, notifications by nv, and so on.
WITH expected AS (
    SELECT licence_id AS agg_id, lv AS last FROM licence WHERE $1::text = 'balance' AND lv > 0
    UNION ALL SELECT decl_id, dv FROM declaration WHERE $1::text = 'outcome' AND dv > 0
    UNION ALL SELECT licence_id, nv FROM licence WHERE $1::text = 'notification' AND nv > 0
    UNION ALL SELECT licence_id, iv FROM licence WHERE $1::text = 'incident' AND iv > 0
    UNION ALL SELECT licence_id, cv FROM licence WHERE $1::text = 'certificate' AND cv > 0
    UNION ALL SELECT record_key, version FROM record WHERE $1::text = 'record'
    UNION ALL SELECT 'ledger', max(seal_no) FROM seal WHERE $1::text = 'seal' HAVING max(seal_no) > 0),
queued AS (
    SELECT agg_id, count(*) AS rows, min(agg_ver) AS first, max(agg_ver) AS last
    FROM outbox WHERE agg_type = $1::text GROUP BY agg_id),
wrong AS (
    SELECT agg_id, coalesce(e.last, 0) AS expected, coalesce(q.last, 0) AS last
    FROM expected e FULL JOIN queued q USING (agg_id)
    WHERE (q.rows, q.first, q.last) IS DISTINCT FROM (e.last, 1::bigint, e.last)
    ORDER BY agg_id LIMIT 1)
SELECT (SELECT count(*) FROM outbox WHERE agg_type = $1::text) AS examined, (
    SELECT CASE WHEN last > expected THEN format('outbox %s %s: version %s, the ledger is at %s', $1, agg_id, last, expected)
        ELSE format('outbox %s %s: version %s is missing of %s', $1, agg_id, (
            SELECT min(ver) FROM generate_series(1, expected) AS ver WHERE NOT EXISTS (
                SELECT FROM outbox o WHERE o.agg_type = $1 AND o.agg_id = wrong.agg_id AND o.agg_ver = ver)), expected) END
    FROM wrong) AS wrong

-- name: outbox_certificates
-- The certificate kept with each licence version was published, byte for byte, and the newest one says the status.
SELECT (SELECT count(*) FROM licence_version) AS examined, coalesce((
    SELECT format('licence %s version %s: its certificate was never published', v.licence_id, v.version)
    FROM licence_version v WHERE NOT EXISTS (
        SELECT FROM outbox o WHERE o.agg_type = 'certificate' AND o.agg_id = v.licence_id AND o.body = v.certificate)
    ORDER BY v.licence_id, v.version LIMIT 1), (
    SELECT format('outbox certificate %s version %s does not say %s', l.licence_id, l.cv, l.status)
    FROM licence l JOIN outbox o ON o.agg_type = 'certificate' AND o.agg_id = l.licence_id AND o.agg_ver = l.cv
    WHERE position(convert_to('<status>' || l.status || '</status>', 'UTF8') IN o.body) = 0
    ORDER BY l.licence_id LIMIT 1)) AS wrong

-- name: outbox_deadletters
-- Whatever was put aside was told.
SELECT (SELECT count(*) FROM quarantine) AS examined, (
    SELECT format('quarantine %s: %s', coalesce(quarantine_id, agg_id),
                  CASE WHEN agg_id IS NULL THEN 'no dead letter was queued' ELSE 'a dead letter of nothing' END)
    FROM quarantine q FULL JOIN (SELECT agg_id FROM outbox WHERE agg_type = 'deadletter') o ON o.agg_id = q.quarantine_id
    WHERE q.quarantine_id IS NULL OR o.agg_id IS NULL
    ORDER BY 1 LIMIT 1) AS wrong

-- name: inbox_answers
-- Every event has its answer, and nothing else has one.
SELECT (SELECT count(*) FROM inbox) AS examined, (
    SELECT format('event %s: %s', event_id, CASE WHEN r.event_id IS NULL THEN 'no answer' ELSE 'an answer, no event' END)
    FROM inbox i FULL JOIN answer r USING (event_id)
    WHERE i.event_id IS NULL OR r.event_id IS NULL OR r.body = ''
    ORDER BY event_id LIMIT 1) AS wrong

-- name: state_hashes
-- Each declaration, claim and anchor is as it was left: the last hash written of it is its own, and none is gone. What was
-- only made to be locked was never left in any state. Of the declarations $1 that were written since $2; NULL: of all.
WITH present AS (
    SELECT format('declaration %s', decl_id) AS told,
           encode(substr(sha256(convert_to('declaration ' || decl_id, 'UTF8')), 1, 16), 'hex')::uuid AS key,
           encode(substr(sha256(coalesce(facts, '') || '\x00' || coalesce(identity, '') || '\x00' || convert_to(
               concat_ws(chr(31), decl_id, dv, said, waiting_for, joined, lrn, exporter, state,
                         coalesce(extract(epoch FROM unpresented_since)::text, ''),
                         coalesce(extract(epoch FROM undecided_since)::text, ''),
                         coalesce(extract(epoch FROM unreleased_since)::text, '')), 'UTF8')), 1, 16), 'hex')::uuid AS hash
    FROM declaration WHERE facts IS NOT NULL AND ($1::text[] IS NULL OR decl_id = ANY($1))
    UNION ALL
    SELECT format('claim %s#%s.%s@%s:%s', decl_id, item, doc_seq, licence_id, line_no),
           encode(substr(sha256(convert_to(
               concat_ws(chr(31), 'claim', decl_id, item, doc_seq, licence_id, line_no), 'UTF8')), 1, 16), 'hex')::uuid,
           encode(substr(sha256(convert_to(
               concat_ws(chr(31), decl_id, item, doc_seq, licence_id, line_no, state, q_req, q_res, q_cons, q_unc,
                         v_req, v_res, v_cons, v_unc, attempt, outcome, reasons, document_code, source,
                         extract(epoch FROM refused_at)), 'UTF8')), 1, 16), 'hex')::uuid
    FROM claim WHERE $1::text[] IS NULL OR decl_id = ANY($1)
    UNION ALL
    SELECT format('anchor %s', lrn), encode(substr(sha256(convert_to('anchor ' || lrn, 'UTF8')), 1, 16), 'hex')::uuid,
           encode(substr(sha256(convert_to(concat_ws(chr(31), lrn, exporters, marks), 'UTF8')), 1, 16), 'hex')::uuid
    FROM anchor WHERE $1::text[] IS NULL AND (exporters, marks) <> ('[]', '{}')),
left_so AS (
    SELECT DISTINCT ON (key) key, hash, written_at
    FROM (SELECT entry_no, unnest(keys) AS key, unnest(hashes) AS hash, written_at
          FROM state_hash WHERE $2::timestamptz IS NULL OR written_at >= $2) every
    ORDER BY key, entry_no DESC)
SELECT (SELECT count(*) FROM present) AS examined, (
    SELECT CASE WHEN told IS NULL THEN format('a declaration, claim or anchor written at %s is gone (%s)', l.written_at, key)
                WHEN l.key IS NULL THEN format('%s was never written by a transaction of the bridge', told)
                ELSE format('%s is not what was written at %s', told, l.written_at) END
    FROM present p FULL JOIN left_so l USING (key)
    WHERE p.hash IS DISTINCT FROM l.hash AND ($1::text[] IS NULL OR (p.hash IS NOT NULL AND l.hash IS NOT NULL))
    ORDER BY told NULLS LAST, key LIMIT 1) AS wrong

-- name: row_histories
-- Rows that decide without a journal are as their history left them. A column that came later is in no older history;
-- a record put aside has none until it is resolved.
WITH present AS (
    SELECT 'exporter_bar' AS name, jsonb_build_array(issuer, eori, document_code)::text AS row_key, to_jsonb(t) AS content
    FROM exporter_bar t
    UNION ALL SELECT 'consumer_offset', jsonb_build_array(topic, partition)::text, to_jsonb(t) FROM consumer_offset t
    UNION ALL SELECT 'subscription', jsonb_build_array(subscription_id)::text, to_jsonb(t) FROM subscription t
    UNION ALL SELECT 'list_order', jsonb_build_array(caller, order_id)::text, to_jsonb(t) FROM list_order t
    UNION ALL SELECT 'notice', jsonb_build_array(notice_id)::text, to_jsonb(t) FROM notice t
    UNION ALL SELECT 'record', jsonb_build_array(record_key)::text, to_jsonb(t) FROM record t
    UNION ALL SELECT 'console_repair', jsonb_build_array(repair_id)::text, to_jsonb(t) FROM console_repair t
    UNION ALL SELECT 'quarantine', jsonb_build_array(quarantine_id)::text,
                     jsonb_build_object('quarantine_id', quarantine_id, 'resolved', resolved)
    FROM quarantine),
kept AS (
    SELECT DISTINCT ON (name, row_key) name, row_key, content::jsonb AS content, written_at
    FROM row_history ORDER BY name, row_key, entry_no DESC)
SELECT (SELECT count(*) FROM present) AS examined, (
    SELECT format('%s %s: %s', name, row_key, CASE
        WHEN k.content IS NULL THEN 'no history has it'
        WHEN p.content IS NULL THEN format('it is gone; it was written at %s', k.written_at)
        ELSE format('not what was written at %s', k.written_at) END)
    FROM present p FULL JOIN kept k USING (name, row_key)
    WHERE (p.content @> k.content) IS NOT TRUE AND NOT (p.content IS NULL AND k.content IS NULL)
      AND NOT (name = 'quarantine' AND k.written_at IS NULL AND p.content ->> 'resolved' = '')
    ORDER BY name, row_key LIMIT 1) AS wrong

-- name: inbox_offsets
-- Reading goes on behind every record that had an effect or was put aside. Where the log was made anew, or shortened, it
-- is what was taken in after that.
SELECT (SELECT count(*) FROM consumer_offset) AS examined, (
    SELECT format('%s partition %s: record %s was used, reading goes on at %s', topic, partition, seen.record,
                  coalesce(c.next_record::text, 'no offset'))
    FROM (SELECT topic, partition, max(record) AS record FROM (
              SELECT topic, partition, record, received_at AS at FROM inbox
              UNION ALL SELECT topic, partition, record, at FROM quarantine) every
          LEFT JOIN (SELECT topic, partition, max(moved_at) AS moved_at FROM position_history
                     WHERE cause <> 'GAP_ACCEPTED' GROUP BY topic, partition) anew USING (topic, partition)
          WHERE topic <> 'internal' AND (anew.moved_at IS NULL OR at > anew.moved_at)
          GROUP BY topic, partition) seen
    LEFT JOIN consumer_offset c USING (topic, partition)
    WHERE c.next_record IS NULL OR c.next_record <= seen.record
    ORDER BY topic, partition LIMIT 1) AS wrong

-- name: parked_declarations
-- Parked is who waits, and whoever waits for a licence that has come will be woken. A name */NUMBER stands for a licence
-- of any issuer; one that has come may be another than the one meant, so only a named issuer can be proved.
SELECT (SELECT count(*) FROM parked) AS examined, coalesce((
    SELECT format('declaration %s on licence %s: %s', decl_id, licence_id,
                  CASE WHEN p.decl_id IS NULL THEN 'it waits and is not parked' ELSE 'parked and does not wait' END)
    FROM parked p FULL JOIN (
        SELECT d.decl_id, licence_id FROM declaration d
        CROSS JOIN LATERAL jsonb_array_elements_text(d.waiting_for::jsonb) AS licence_id
        WHERE d.waiting_for <> '[]') w USING (decl_id, licence_id)
    WHERE p.decl_id IS NULL OR w.decl_id IS NULL
    ORDER BY decl_id, licence_id LIMIT 1), (
    SELECT format('declaration %s waits for licence %s, which is known, and no wake is left', decl_id, licence_id)
    FROM parked p JOIN licence l USING (licence_id)
    WHERE l.version > 0 AND NOT EXISTS (SELECT FROM wake WHERE wake.decl_id = p.decl_id)
    ORDER BY decl_id, licence_id LIMIT 1)) AS wrong

-- name: left_over
-- Work that is left: normal while the bridge runs, none after it has drained.
SELECT (SELECT count(*) FROM wake) AS wakes, (SELECT count(*) FROM unsent) AS batches,
       (SELECT count(*) FROM wake WHERE woken_at < now() - make_interval(secs => $1::double precision)) AS late,
       (SELECT count(*) FROM held) AS held

-- The queries from here on are read in pages: names after $1, up to $2 (NULL: to the end), and of those in $3 (NULL: all).

-- name: licences_since
-- Licences of which something was written since an instant.
SELECT licence_id FROM movement WHERE written_at >= $1
UNION SELECT licence_id FROM licence_version WHERE written_at >= $1
UNION SELECT licence_id FROM status_change WHERE written_at >= $1
ORDER BY licence_id

-- name: declarations_since
-- Declarations to which something was answered, or that were settled again, since an instant.
SELECT decl_id FROM (
    SELECT substring(body FROM '"declaration":"([^"]*)"') AS decl_id FROM answer WHERE written_at >= $1
    UNION SELECT decl_id FROM woken WHERE written_at >= $1) touched
WHERE decl_id IS NOT NULL ORDER BY decl_id

-- name: licence_page
-- Where the next page of licences ends.
SELECT max(licence_id) AS last, count(*) AS number FROM (
    SELECT licence_id FROM licence WHERE licence_id > $1 ORDER BY licence_id LIMIT $2) page

-- name: declaration_page
-- Where the next page of declarations ends.
SELECT max(decl_id) AS last, count(*) AS number FROM (
    SELECT decl_id FROM declaration WHERE decl_id > $1 ORDER BY decl_id LIMIT $2) page

-- name: journal
-- Every journal row in order, with where its licence stands.
SELECT licence_id, l.lv AS last, encode(l.chain, 'hex') AS head, m.lv, m.seq, m.line_no, m.dim, m.kind, m.event_id, m.claim,
       m.d_cap::text, m.d_res::text, m.d_cons::text, m.d_over::text, m.at, m.detail, m.chain, replace(m.effect::text, '-', '') AS effect
FROM (SELECT * FROM licence
      WHERE licence_id > $1 AND ($2::text IS NULL OR licence_id <= $2) AND ($3::text[] IS NULL OR licence_id = ANY($3))) l
FULL JOIN (SELECT * FROM movement
      WHERE licence_id > $1 AND ($2::text IS NULL OR licence_id <= $2) AND ($3::text[] IS NULL OR licence_id = ANY($3))) m
USING (licence_id) ORDER BY licence_id, m.lv, m.seq

-- name: last_balances
-- The last balance message of each licence beside its accounts.
SELECT l.licence_id, l.lv, o.body, (
    SELECT json_agg(json_build_array(a.line_no, a.dim, a.unit, a.cap::text, a.reserved::text, a.consumed::text,
                                     a.available::text, a.over::text) ORDER BY a.line_no, a.dim)::text
    FROM account a WHERE a.licence_id = l.licence_id) AS accounts
FROM licence l JOIN outbox o ON o.agg_type = 'balance' AND o.agg_id = l.licence_id AND o.agg_ver = l.lv
WHERE l.licence_id > $1 AND ($2::text IS NULL OR l.licence_id <= $2) AND ($3::text[] IS NULL OR l.licence_id = ANY($3))
ORDER BY l.licence_id

-- name: facts
-- What customs said, as stored.
SELECT decl_id, facts, lrn, exporter, state, dv FROM declaration
WHERE decl_id > $1 AND ($2::text IS NULL OR decl_id <= $2) AND ($3::text[] IS NULL OR decl_id = ANY($3))
ORDER BY decl_id

-- name: identities
-- How each declaration with an MRN got its content, beside what was sent under its LRN, and whether it holds anything;
-- woken are those that the worker looks at again.
SELECT d.decl_id, d.facts, d.identity, d.undecided_since, a.exporters, a.marks,
       EXISTS (SELECT FROM wake w WHERE w.decl_id = d.decl_id) AS woken,
       EXISTS (SELECT FROM claim c WHERE c.decl_id = d.decl_id
               AND (c.q_res, c.q_cons, c.v_res, c.v_cons) <> (0, 0, 0, 0)) AS holds
FROM declaration d LEFT JOIN anchor a ON a.lrn = d.lrn AND d.lrn <> ''
WHERE d.facts IS NOT NULL AND (strpos(d.decl_id, '/') = 0 OR d.undecided_since IS NOT NULL)
  AND d.decl_id > $1 AND ($2::text IS NULL OR d.decl_id <= $2) AND ($3::text[] IS NULL OR d.decl_id = ANY($3))
ORDER BY d.decl_id

-- name: snapshots
-- Licence contents, as stored, beside their hashes in the journal.
SELECT licence_id, version, snapshot, told FROM licence_version LEFT JOIN (
    SELECT licence_id, substring(detail FROM '^version=([0-9]{1,9}) ')::int AS version,
           substring(detail FROM ' content=([0-9a-f]{64})') AS told
    FROM movement WHERE kind = 'VERSION'
      AND licence_id > $1 AND ($2::text IS NULL OR licence_id <= $2) AND ($3::text[] IS NULL OR licence_id = ANY($3))) journal
USING (licence_id, version)
WHERE licence_id > $1 AND ($2::text IS NULL OR licence_id <= $2) AND ($3::text[] IS NULL OR licence_id = ANY($3))
ORDER BY licence_id, version

-- name: licences
-- Everything that follows from a licence's content in force and from what was booked on it.
SELECT l.licence_id, l.version, l.status, l.expired_version, l.snapshot, l.valid_to, l.holder,
       i.issuer, i.number, i.version AS listed_version, i.document_code, i.direction, i.status AS listed_status,
       i.valid_from, i.valid_to AS listed_valid_to, i.holder AS listed_holder, i.terms, (
    SELECT json_agg(json_build_array(a.line_no, a.dim, a.unit, a.cap::text, a.reserved::text, a.consumed::text,
                                     a.replaced))::text
    FROM account a WHERE a.licence_id = l.licence_id) AS accounts
FROM licence l LEFT JOIN licence_index i USING (licence_id)
WHERE licence_id > $1 AND ($2::text IS NULL OR licence_id <= $2) AND ($3::text[] IS NULL OR licence_id = ANY($3))
ORDER BY licence_id

-- name: balance_history
-- Every journal row in order, with the balance message of its journal version beside the version's last row.
SELECT m.licence_id, m.lv, m.line_no, m.dim, m.d_cap::text, m.d_res::text, m.d_cons::text, m.d_over::text,
       CASE WHEN lead(m.lv) OVER (PARTITION BY m.licence_id ORDER BY m.lv, m.seq) IS DISTINCT FROM m.lv THEN o.body END AS body
FROM movement m LEFT JOIN outbox o ON o.agg_type = 'balance' AND o.agg_id = m.licence_id AND o.agg_ver = m.lv
WHERE m.licence_id > $1 AND ($2::text IS NULL OR m.licence_id <= $2) AND ($3::text[] IS NULL OR m.licence_id = ANY($3))
ORDER BY m.licence_id, m.lv, m.seq

-- name: position_gaps
-- Records that the log no longer had before they were read, with whoever accepted that.
SELECT format('%s partition %s: records %s to %s were never read', g.topic, g.partition, g.from_record, g.to_record - 1)
       || coalesce(', accepted by ' || a.accepted_by || to_char(a.accepted_at, '" at "YYYY-MM-DD"T"HH24:MI:SS"Z: "')
                   || a.reason, '') AS told,
       a.accepted_at IS NULL AND c.topic IS NOT NULL AS is_open
FROM position_gap g
LEFT JOIN position_gap_accepted a USING (topic, partition, epoch, from_record, to_record)
LEFT JOIN consumer_offset c
       ON (c.topic, c.partition, c.epoch, c.next_record) = (g.topic, g.partition, g.epoch, g.from_record)
WHERE a.accepted_at IS NOT NULL OR c.topic IS NOT NULL
ORDER BY g.found_at, g.topic, g.partition, g.from_record, g.to_record
