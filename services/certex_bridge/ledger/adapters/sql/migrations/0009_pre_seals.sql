-- Evidence of what was written, for `journal verify` (ADR 0022): hashes of states that are overwritten, the history of
-- rows that change seldom, and seals over everything written in between.

CREATE TABLE state_hash (
    entry_no   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    keys       uuid[] NOT NULL,
    hashes     uuid[] NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    CHECK (cardinality(keys) = cardinality(hashes))
);
ALTER TABLE state_hash ALTER keys SET STORAGE EXTERNAL, ALTER hashes SET STORAGE EXTERNAL;  -- hashes do not compress
COMMENT ON TABLE state_hash IS 'Which state each declaration, claim and anchor was left in, one row per statement; append-only';
COMMENT ON COLUMN state_hash.entry_no IS 'Drawn under the locks of the rows, so it orders the states of each';

CREATE TABLE row_history (
    entry_no   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    row_key    text NOT NULL,
    content    text,
    role       text NOT NULL DEFAULT session_user,
    written_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE row_history IS 'Every state of the rows that decide without a journal: bars, subscriptions, positions and the like; append-only';
COMMENT ON COLUMN row_history.content IS 'The row as JSON; NULL: it was deleted';

CREATE TABLE seal (
    seal_no   bigint PRIMARY KEY CHECK (seal_no > 0),
    as_of     timestamptz NOT NULL,
    line      text NOT NULL,
    chain     text NOT NULL,
    key_id    text NOT NULL,
    signature text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE seal IS 'Number and hash of all rows written up to an instant, in a chain; published and signed; append-only';
COMMENT ON COLUMN seal.line IS 'What is chained: JSON';
COMMENT ON COLUMN seal.chain IS 'sha256(chain value before, line), hexadecimal';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON state_hash FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON state_hash FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON row_history FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON row_history FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON seal FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON seal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- The service reads both histories and cannot write them: only the triggers do, with their owner's rights.
GRANT SELECT ON state_hash, row_history TO certex_app;
GRANT SELECT, INSERT ON seal TO certex_app;

-- Key and hash of one state are 16 bytes of SHA-256 each. `journal verify` has these expressions too.
CREATE FUNCTION hash_declarations() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO state_hash (keys, hashes)
    SELECT array_agg(encode(substr(sha256(convert_to('declaration ' || decl_id, 'UTF8')), 1, 16), 'hex')::uuid),
           array_agg(encode(substr(sha256(coalesce(facts, '') || '\x00' || coalesce(identity, '') || '\x00' || convert_to(
               concat_ws(chr(31), decl_id, dv, said, waiting_for, joined, lrn, exporter, state,
                         coalesce(extract(epoch FROM unpresented_since)::text, ''),
                         coalesce(extract(epoch FROM undecided_since)::text, ''),
                         coalesce(extract(epoch FROM unreleased_since)::text, '')), 'UTF8')), 1, 16), 'hex')::uuid)
    FROM written HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE FUNCTION hash_claims() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO state_hash (keys, hashes)
    SELECT array_agg(encode(substr(sha256(convert_to(
               concat_ws(chr(31), 'claim', decl_id, item, doc_seq, licence_id, line_no), 'UTF8')), 1, 16), 'hex')::uuid),
           array_agg(encode(substr(sha256(convert_to(
               concat_ws(chr(31), decl_id, item, doc_seq, licence_id, line_no, state, q_req, q_res, q_cons, q_unc,
                         v_req, v_res, v_cons, v_unc, attempt, outcome, reasons, document_code, source,
                         extract(epoch FROM refused_at)), 'UTF8')), 1, 16), 'hex')::uuid)
    FROM written HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE FUNCTION hash_anchors() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO state_hash (keys, hashes)
    SELECT array_agg(encode(substr(sha256(convert_to('anchor ' || lrn, 'UTF8')), 1, 16), 'hex')::uuid),
           array_agg(encode(substr(sha256(convert_to(
               concat_ws(chr(31), lrn, exporters, marks), 'UTF8')), 1, 16), 'hex')::uuid)
    FROM written HAVING count(*) > 0;
    RETURN NULL;
END $$;

-- The arguments are the columns of the key, then those that are left out: what the bridge only counts or remembers.
CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - string_to_array(TG_ARGV[1], ' ') END;
    after  jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - string_to_array(TG_ARGV[1], ' ') END;
BEGIN
    IF after IS DISTINCT FROM before THEN
        INSERT INTO row_history (name, row_key, content)
        SELECT TG_TABLE_NAME, jsonb_agg(coalesce(after, before) -> part ORDER BY place)::text, after::text
        FROM unnest(string_to_array(TG_ARGV[0], ' ')) WITH ORDINALITY AS k(part, place);
    END IF;
    RETURN NULL;
END $$;

-- Temporary tables of whoever writes come last: they must not take the place of ours.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['hash_declarations', 'hash_claims', 'hash_anchors', 'keep_history'] LOOP
        EXECUTE format('ALTER FUNCTION %I() SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
    ALTER FUNCTION keep_history() SET TimeZone = 'UTC';
END $$;

CREATE TRIGGER hash_states AFTER UPDATE ON declaration REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION hash_declarations();
CREATE TRIGGER hash_new_states AFTER INSERT ON claim REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION hash_claims();
CREATE TRIGGER hash_states AFTER UPDATE ON claim REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION hash_claims();
CREATE TRIGGER hash_states AFTER UPDATE ON anchor REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION hash_anchors();

CREATE TRIGGER keep_history AFTER INSERT OR UPDATE OR DELETE ON exporter_bar
    FOR EACH ROW EXECUTE FUNCTION keep_history('issuer eori document_code', '');
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE OR DELETE ON consumer_offset
    FOR EACH ROW EXECUTE FUNCTION keep_history('topic partition', '');
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE OR DELETE ON subscription
    FOR EACH ROW EXECUTE FUNCTION keep_history('subscription_id', 'last_number failing_since');
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE OR DELETE ON list_order
    FOR EACH ROW EXECUTE FUNCTION keep_history('caller order_id', 'deliveries next_due since');
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE OR DELETE ON notice
    FOR EACH ROW EXECUTE FUNCTION keep_history('notice_id', 'told_version');
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE OR DELETE ON record
    FOR EACH ROW EXECUTE FUNCTION keep_history('record_key', '');
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE OR DELETE ON console_repair
    FOR EACH ROW EXECUTE FUNCTION keep_history('repair_id', '');
CREATE TRIGGER keep_history AFTER UPDATE OF resolved ON quarantine
    FOR EACH ROW EXECUTE FUNCTION keep_history('quarantine_id', 'topic partition record code field value message event_id key raw headers at');
