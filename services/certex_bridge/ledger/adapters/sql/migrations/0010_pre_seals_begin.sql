-- What was written before 0009, so that it is evidence from here on. Numbers are negative: whatever the triggers of 0009
-- write, before or meanwhile, counts as later. Nothing is locked.

SET LOCAL TimeZone = 'UTC';
INSERT INTO state_hash (entry_no, keys, hashes) OVERRIDING SYSTEM VALUE
SELECT -min(place), array_agg(key), array_agg(hash) FROM (
    SELECT row_number() OVER () AS place, key, hash FROM (
        SELECT encode(substr(sha256(convert_to('declaration ' || decl_id, 'UTF8')), 1, 16), 'hex')::uuid AS key,
               encode(substr(sha256(coalesce(facts, '') || '\x00' || coalesce(identity, '') || '\x00' || convert_to(
                   concat_ws(chr(31), decl_id, dv, said, waiting_for, joined, lrn, exporter, state,
                             coalesce(extract(epoch FROM unpresented_since)::text, ''),
                             coalesce(extract(epoch FROM undecided_since)::text, ''),
                             coalesce(extract(epoch FROM unreleased_since)::text, '')), 'UTF8')), 1, 16), 'hex')::uuid AS hash
        FROM declaration WHERE facts IS NOT NULL
        UNION ALL
        SELECT encode(substr(sha256(convert_to(
                   concat_ws(chr(31), 'claim', decl_id, item, doc_seq, licence_id, line_no), 'UTF8')), 1, 16), 'hex')::uuid,
               encode(substr(sha256(convert_to(
                   concat_ws(chr(31), decl_id, item, doc_seq, licence_id, line_no, state, q_req, q_res, q_cons, q_unc,
                             v_req, v_res, v_cons, v_unc, attempt, outcome, reasons, document_code, source,
                             extract(epoch FROM refused_at)), 'UTF8')), 1, 16), 'hex')::uuid
        FROM claim
        UNION ALL
        SELECT encode(substr(sha256(convert_to('anchor ' || lrn, 'UTF8')), 1, 16), 'hex')::uuid,
               encode(substr(sha256(convert_to(
                   concat_ws(chr(31), lrn, exporters, marks), 'UTF8')), 1, 16), 'hex')::uuid
        FROM anchor WHERE (exporters, marks) <> ('[]', '{}')) present) numbered
GROUP BY (place - 1) / 500;

INSERT INTO row_history (entry_no, name, row_key, content) OVERRIDING SYSTEM VALUE
SELECT -row_number() OVER (), name, row_key, content FROM (
    SELECT 'exporter_bar' AS name, jsonb_build_array(issuer, eori, document_code)::text AS row_key, to_jsonb(t)::text AS content
    FROM exporter_bar t
    UNION ALL
    SELECT 'consumer_offset', jsonb_build_array(topic, partition)::text, to_jsonb(t)::text FROM consumer_offset t
    UNION ALL
    SELECT 'subscription', jsonb_build_array(subscription_id)::text,
           (to_jsonb(t) - 'last_number' - 'failing_since')::text FROM subscription t
    UNION ALL
    SELECT 'list_order', jsonb_build_array(caller, order_id)::text,
           (to_jsonb(t) - 'deliveries' - 'next_due' - 'since')::text FROM list_order t
    UNION ALL
    SELECT 'notice', jsonb_build_array(notice_id)::text, (to_jsonb(t) - 'told_version')::text FROM notice t
    UNION ALL
    SELECT 'record', jsonb_build_array(record_key)::text, to_jsonb(t)::text FROM record t
    UNION ALL
    SELECT 'console_repair', jsonb_build_array(repair_id)::text, to_jsonb(t)::text FROM console_repair t
    UNION ALL
    SELECT 'quarantine', jsonb_build_array(quarantine_id)::text, jsonb_build_object('resolved', resolved)::text
    FROM quarantine t WHERE resolved <> '') present;
