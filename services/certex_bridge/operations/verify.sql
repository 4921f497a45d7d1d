-- name: account_figures
-- The constraints of a balance, tested on the data; a restored or imported table may not have them.
SELECT (SELECT count(*) FROM account) AS examined, (
    SELECT format('account %s line %s %s: authorised %s, over %s, available %s, reserved %s, consumed %s',
                  licence_id, line_no, dim, cap, over, available, reserved, consumed)
    FROM account
    WHERE least(cap, reserved, consumed, over, available) < 0
       OR cap + over <> available + reserved + consumed
       OR (available <> 0 AND over <> 0)
       OR cap + over + reserved + consumed + available = 'NaN'
    ORDER BY licence_id, line_no, dim LIMIT 1) AS wrong

-- name: account_journal
-- A balance is what the journal adds up to.
WITH journal AS (
    SELECT licence_id, line_no, dim, sum(d_cap) AS cap, sum(d_res) AS reserved, sum(d_cons) AS consumed,
           sum(d_over) AS over
    FROM movement WHERE dim <> 'NONE' GROUP BY licence_id, line_no, dim)
SELECT (SELECT count(*) FROM account) AS examined, (
    SELECT format('account %s line %s %s: authorised %s, reserved %s, consumed %s, over %s; its movements add up to '
                  '%s, %s, %s, %s',
                  licence_id, line_no, dim, coalesce(a.cap::text, 'missing'), a.reserved, a.consumed, a.over,
                  coalesce(j.cap, 0), coalesce(j.reserved, 0), coalesce(j.consumed, 0), coalesce(j.over, 0))
    FROM journal j FULL JOIN account a USING (licence_id, line_no, dim)
    WHERE (a.cap, a.reserved, a.consumed, a.over) IS DISTINCT FROM
          (coalesce(j.cap, 0), coalesce(j.reserved, 0), coalesce(j.consumed, 0), coalesce(j.over, 0))
    ORDER BY licence_id, line_no, dim LIMIT 1) AS wrong

-- name: account_claims
-- Reserved and consumed are what the claims hold: of the line, or of the whole licence for line 0.
WITH held AS (
    SELECT c.licence_id, c.line_no, f.dim, sum(f.reserved) AS reserved, sum(f.consumed) AS consumed
    FROM claim c CROSS JOIN LATERAL (VALUES ('QTY', q_res, q_cons), ('VAL', v_res, v_cons)) f(dim, reserved, consumed)
    GROUP BY c.licence_id, c.line_no, f.dim),
expected AS (
    SELECT licence_id, line_no, dim, reserved, consumed FROM held WHERE line_no <> 0
    UNION ALL
    SELECT licence_id, 0, dim, sum(reserved), sum(consumed) FROM held GROUP BY licence_id, dim)
SELECT (SELECT count(*) FROM account) AS examined, (
    SELECT format('account %s line %s %s: reserved %s, consumed %s; its claims hold %s, %s', licence_id, line_no, dim,
                  a.reserved, a.consumed, coalesce(e.reserved, 0), coalesce(e.consumed, 0))
    FROM account a LEFT JOIN expected e USING (licence_id, line_no, dim)
    WHERE (a.reserved, a.consumed) IS DISTINCT FROM (coalesce(e.reserved, 0), coalesce(e.consumed, 0))
    ORDER BY licence_id, line_no, dim LIMIT 1) AS wrong

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
       OR (state = 'RESERVED' AND (q_res, v_res) = (0, 0))
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
-- Whatever moved was asked for: by an event of the inbox, or by a wake whose cause is one (its id comes from content).
WITH strange AS (
    SELECT m.event_id, m.claim, min(m.licence_id) AS licence_id, min(m.lv) AS lv
    FROM movement m WHERE NOT EXISTS (SELECT FROM inbox i WHERE i.event_id = m.event_id)
    GROUP BY m.event_id, m.claim),
woken AS (
    SELECT DISTINCT s.event_id, c.decl_id FROM strange s JOIN claim c
    ON s.claim = format('%s#%s.%s@%s:%s', c.decl_id, c.item, c.doc_seq, c.licence_id, c.line_no)),
drafts AS (
    SELECT w.event_id, w.decl_id, exporter || '/' || a.lrn AS draft_id
    FROM woken w JOIN declaration d USING (decl_id) JOIN anchor a USING (lrn)
    CROSS JOIN LATERAL jsonb_array_elements_text(a.exporters::jsonb) AS exporter),
causes AS (
    SELECT w.event_id, w.decl_id, v.event_id AS cause
    FROM woken w JOIN claim c USING (decl_id) JOIN licence_version v USING (licence_id)
    UNION
    SELECT t.event_id, t.decl_id, r.event_id FROM drafts t JOIN answer r ON r.body::json ->> 'declaration' = t.draft_id),
explained AS (
    SELECT DISTINCT event_id FROM causes
    WHERE event_id = encode(sha256(
        int8send(4) || 'wake'::bytea
        || int8send(octet_length(cause)) || convert_to(cause, 'UTF8')
        || int8send(octet_length(decl_id)) || convert_to(decl_id, 'UTF8')), 'hex'))
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
    UNION ALL SELECT record_key, version FROM record WHERE $1::text = 'record'),
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

-- name: inbox_offsets
-- Reading goes on behind every record that had an effect or was put aside.
SELECT (SELECT count(*) FROM consumer_offset) AS examined, (
    SELECT format('%s partition %s: record %s was used, reading goes on at %s', topic, partition, seen.record,
                  coalesce(c.next_record::text, 'no offset'))
    FROM (SELECT topic, partition, max(record) AS record FROM (
              SELECT topic, partition, record FROM inbox
              UNION ALL SELECT topic, partition, record FROM quarantine) every
          WHERE topic <> 'internal' GROUP BY topic, partition) seen
    LEFT JOIN consumer_offset c USING (topic, partition)
    WHERE c.next_record IS NULL OR c.next_record <= seen.record
    ORDER BY topic, partition LIMIT 1) AS wrong

-- name: parked_declarations
-- Parked is who waits, and whoever waits for a licence that has come will be woken.
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

-- name: journal
-- Every journal row in order, with where its licence stands.
SELECT licence_id, l.lv AS last, encode(l.chain, 'hex') AS head, m.lv, m.seq, m.line_no, m.dim, m.kind, m.event_id, m.claim,
       m.d_cap::text, m.d_res::text, m.d_cons::text, m.d_over::text, m.at, m.detail, m.chain, replace(m.effect::text, '-', '') AS effect
FROM licence l FULL JOIN movement m USING (licence_id) ORDER BY licence_id, m.lv, m.seq

-- name: last_balances
-- The last balance message of each licence beside its accounts.
SELECT l.licence_id, l.lv, o.body, (
    SELECT json_agg(json_build_array(a.line_no, a.dim, a.unit, a.cap::text, a.reserved::text, a.consumed::text,
                                     a.available::text, a.over::text) ORDER BY a.line_no, a.dim)::text
    FROM account a WHERE a.licence_id = l.licence_id) AS accounts
FROM licence l JOIN outbox o ON o.agg_type = 'balance' AND o.agg_id = l.licence_id AND o.agg_ver = l.lv
ORDER BY l.licence_id

-- name: facts
-- What customs said, as stored.
SELECT decl_id, facts, lrn, exporter, state, dv FROM declaration ORDER BY decl_id

-- name: snapshots
-- Licence contents, as stored.
SELECT licence_id, version, snapshot FROM licence_version ORDER BY licence_id, version

-- name: balance_history
-- Every journal row in order, with the balance message of its journal version beside the version's last row.
SELECT m.licence_id, m.lv, m.line_no, m.dim, m.d_cap::text, m.d_res::text, m.d_cons::text, m.d_over::text,
       CASE WHEN lead(m.lv) OVER (PARTITION BY m.licence_id ORDER BY m.lv, m.seq) IS DISTINCT FROM m.lv THEN o.body END AS body
FROM movement m LEFT JOIN outbox o ON o.agg_type = 'balance' AND o.agg_id = m.licence_id AND o.agg_ver = m.lv
ORDER BY m.licence_id, m.lv, m.seq
