-- name: as_of
-- Whatever is not visible yet began after this instant. Sessions of another role hide their times from us: then a
-- minute is taken off, the longest a transaction of the bridge can last.
SELECT least(now(), min(xact_start)) - CASE WHEN bool_or(query = '<insufficient privilege>')
       THEN interval '1 minute' ELSE interval '0' END AS as_of
FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'

-- name: licences
-- Where each licence stands, and the chain value of its last journal row.
SELECT licence_id, lv, encode(chain, 'hex') AS chain FROM licence ORDER BY licence_id

-- name: at_heads
-- The chain values that the journal has now at the places of earlier heads.
SELECT h.licence_id, h.lv, h.chain AS told, (

               SELECT m.chain FROM movement m WHERE m.licence_id = h.licence_id AND m.lv = h.lv ORDER BY m.seq DESC LIMIT 1) AS chain,
    l.licence_id IS NOT NULL AS known
FROM unnest($1::text[], $2::bigint[], $3::text[]) AS h(licence_id, lv, chain) LEFT JOIN licence l USING (licence_id)
ORDER BY h.licence_id

-- name: written
-- What was written from an instant on and before another, and is never changed: table, when, and a hash of each row.
SELECT 'movement' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, licence_id, lv, seq, line_no, dim, kind, event_id, claim, d_cap, d_res,
           d_cons, d_over, at, detail, chain, effect)::text, 'UTF8')) AS content
FROM movement WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'licence_version' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, licence_id, version, event_id, at, status, sha256(snapshot),
           sha256(certificate), document, original_type, sha256(original), payload_sha256, content)::text, 'UTF8')) AS content
FROM licence_version WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'licence_document' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, licence_id, sha256, media_type, sha256(content))::text, 'UTF8')) AS content
FROM licence_document WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'refused_licence_event' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, event_id, licence_id, kind, version, verdict, act, status, sub_status,
           bare, payload_sha256, findings, at)::text, 'UTF8')) AS content
FROM refused_licence_event WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'status_change' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, licence_id, change_no, old, new, reason, at, event_id, exporter,
           licence_version, lv, number, document_code, direction, valid_from, valid_to, trace)::text, 'UTF8')) AS content
FROM status_change WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'inbox' AS name, received_at AS moment,
       sha256(convert_to(ROW(received_at, event_id, sha256, source, topic, partition, record)::text,
           'UTF8')) AS content
FROM inbox WHERE received_at >= $1 AND received_at < $2
UNION ALL
SELECT 'answer' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, event_id, body)::text, 'UTF8')) AS content
FROM answer WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'woken' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, event_id, cause, decl_id)::text, 'UTF8')) AS content
FROM woken WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'quarantine' AS name, at AS moment,
       sha256(convert_to(ROW(at, quarantine_id, topic, partition, record, code, field, value, message, event_id,
           sha256(key), sha256(raw), sha256(headers))::text, 'UTF8')) AS content
FROM quarantine WHERE at >= $1 AND at < $2
UNION ALL
SELECT 'outbox' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, agg_type, agg_id, agg_ver, key, sha256(body), at, trace)::text,
           'UTF8')) AS content
FROM outbox WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'mismatch' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, event_id, decl_id, item, doc_seq, licence_id, line_no, member_state,
           source, verdict, reasons, recorded, at)::text, 'UTF8')) AS content
FROM mismatch WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'push' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, subscription_id, number, kind, subject, content_type, sha256(body),
           created_at, trace)::text, 'UTF8')) AS content
FROM push WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'call_answer' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, call_id, sha256, sha256(body), at)::text, 'UTF8')) AS content
FROM call_answer WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'record_version' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, record_key, version, action, before, after, reason, licence_version,
           call_id, at)::text, 'UTF8')) AS content
FROM record_version WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'list_delivery' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, caller, order_id, number, page, sha256(body), made_at)::text,
           'UTF8')) AS content
FROM list_delivery WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'notice_version' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, notice_id, version, ends, announced_by, at)::text, 'UTF8')) AS content
FROM notice_version WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'console_audit' AS name, at AS moment,
       sha256(convert_to(ROW(at, audit_no, person, identity, roles, action, subject, before, after)::text,
           'UTF8')) AS content
FROM console_audit WHERE at >= $1 AND at < $2
UNION ALL
SELECT 'state_hash' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, entry_no, keys, hashes)::text, 'UTF8')) AS content
FROM state_hash WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'row_history' AS name, written_at AS moment,
       sha256(convert_to(ROW(written_at, entry_no, name, row_key, content, role)::text, 'UTF8')) AS content
FROM row_history WHERE written_at >= $1 AND written_at < $2
UNION ALL
SELECT 'position_history' AS name, moved_at AS moment,
       sha256(convert_to(ROW(moved_at, topic, partition, epoch, next_record, cluster_id, topic_id, cause,
           moved_to)::text, 'UTF8')) AS content
FROM position_history WHERE moved_at >= $1 AND moved_at < $2
UNION ALL
SELECT 'position_gap' AS name, found_at AS moment,
       sha256(convert_to(ROW(found_at, topic, partition, epoch, from_record, to_record, cluster_id,
           topic_id)::text, 'UTF8')) AS content
FROM position_gap WHERE found_at >= $1 AND found_at < $2
UNION ALL
SELECT 'position_gap_accepted' AS name, accepted_at AS moment,
       sha256(convert_to(ROW(accepted_at, topic, partition, epoch, from_record, to_record, accepted_by, reason,
           database_role)::text, 'UTF8')) AS content
FROM position_gap_accepted WHERE accepted_at >= $1 AND accepted_at < $2

-- name: by_day
-- Of `written`, by table and day (UTC): how many rows, and one hash over the hashes of all of them, in an order that
-- follows from their content alone.
SELECT name, (moment AT TIME ZONE 'UTC')::date::text AS day, count(*) AS number,
       encode(sha256(string_agg(content, ''::bytea ORDER BY content)), 'hex') AS digest
FROM written GROUP BY 1, 2 ORDER BY 1, 2

-- name: by_window
-- Of `written`, by table and window; windows begin at the instants $3.
SELECT name, width_bucket(moment, $3::timestamptz[]) AS place, count(*) AS number,
       encode(sha256(string_agg(content, ''::bytea ORDER BY content)), 'hex') AS digest
FROM written GROUP BY 1, 2 ORDER BY 1, 2

-- name: first_written
-- Before this instant nothing was written.
SELECT least((SELECT min(received_at) FROM inbox), (SELECT min(at) FROM quarantine), (SELECT min(written_at) FROM answer),
             (SELECT min(written_at) FROM row_history), (SELECT min(written_at) FROM licence_version))
