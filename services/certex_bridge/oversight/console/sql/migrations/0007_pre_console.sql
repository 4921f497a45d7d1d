-- The console: what people did there, and repairs that need a second person.

CREATE TABLE console_audit (
    audit_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    person   text NOT NULL,
    identity text NOT NULL,
    roles    text NOT NULL,
    action   text NOT NULL,
    subject  text NOT NULL,
    before   text NOT NULL,
    after    text NOT NULL
);
COMMENT ON TABLE console_audit IS 'Who did what in the console, or was refused it: before and after; append-only';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON console_audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON console_audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE console_repair (
    repair_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quarantine_id text NOT NULL REFERENCES quarantine,
    kind          text NOT NULL CHECK (kind IN ('RETRY', 'DISCARD')),
    value         bytea,
    reason        text NOT NULL,
    state         text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REJECTED', 'WITHDRAWN')),
    proposed_by   text NOT NULL,
    proposed_name text NOT NULL,
    proposed_at   timestamptz NOT NULL DEFAULT now(),
    decided_by    text NOT NULL DEFAULT '',
    decided_name  text NOT NULL DEFAULT '',
    decided_at    timestamptz,
    CHECK ((state = 'PROPOSED') = (decided_at IS NULL)),
    CHECK (state NOT IN ('APPROVED', 'REJECTED') OR decided_by NOT IN ('', proposed_by)),
    CHECK (kind = 'RETRY' OR value IS NULL)
);
COMMENT ON TABLE console_repair IS 'What is to become of a record in quarantine: one person proposes, another decides';
COMMENT ON COLUMN console_repair.value IS 'Edited copy of the bytes; NULL: as they are';

CREATE FUNCTION repair_shown(repair console_repair) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
               repair.kind, repair.reason, repair.value IS NULL, q.topic, encode(q.key, 'hex'), encode(q.headers, 'hex')
           )::text, 'UTF8') || coalesce(repair.value, q.raw, ''::bytea)), 'hex')
    FROM quarantine q WHERE q.quarantine_id = repair.quarantine_id
$$;
COMMENT ON FUNCTION repair_shown IS 'Hash of all that a proposal would do: who decides on it says which one was shown';

CREATE UNIQUE INDEX console_repair_open ON console_repair (quarantine_id) WHERE state = 'PROPOSED';
COMMENT ON COLUMN console_repair.proposed_by IS 'Identity at the issuer, which no change of name changes';

CREATE TABLE console_session (
    subject    text PRIMARY KEY,
    roles      text NOT NULL,
    before     double precision NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE console_session IS 'Sessions that ended early: one by its number, or all of a person begun before a moment';
COMMENT ON COLUMN console_session.before IS 'Sessions begun before this are over; seconds since 1970';

GRANT SELECT, INSERT, UPDATE, DELETE ON console_session TO certex_app;
GRANT SELECT, INSERT ON console_audit TO certex_app;
GRANT SELECT, INSERT, UPDATE ON console_repair TO certex_app;
