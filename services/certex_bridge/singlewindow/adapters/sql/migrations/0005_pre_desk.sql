-- The desk: records of extra information, periodic lists, notices of unavailability (IR 2024/2145 Art. 9 to 11).

CREATE TABLE record (
    record_key   text PRIMARY KEY,
    caller       text NOT NULL,
    record_id    text NOT NULL,
    version      integer NOT NULL,
    licence_id   text NOT NULL,
    member_state text NOT NULL,
    mrn          text NOT NULL,
    item         integer NOT NULL,
    information  text NOT NULL,
    deleted      boolean NOT NULL,
    UNIQUE (caller, record_id),
    CHECK (version > 0 AND NOT (deleted AND information <> '[]'))
);
COMMENT ON TABLE record IS 'Extra information to a licence as it stands (IR 2024/2145 Art. 9); information is JSON: code and text';
CREATE INDEX record_licence ON record (licence_id);

CREATE TABLE record_version (
    record_key      text NOT NULL REFERENCES record,
    version         integer NOT NULL,
    action          text NOT NULL CHECK (action IN ('ADD', 'AMEND', 'DELETE')),
    before          text NOT NULL,
    after           text NOT NULL,
    reason          text NOT NULL,
    licence_version integer NOT NULL,
    call_id         text NOT NULL,
    at              timestamptz NOT NULL,
    written_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (record_key, version)
);
COMMENT ON TABLE record_version IS 'Every version of every record: who, when, why, before and after; append-only';

CREATE TABLE list_order (
    caller     text NOT NULL,
    order_id   text NOT NULL,
    request    bytea NOT NULL,
    first_at   timestamptz NOT NULL,
    hours      integer NOT NULL CHECK (hours > 0),
    until_at   timestamptz,
    next_due   timestamptz,
    deliveries integer NOT NULL,
    since      timestamptz,
    state      text NOT NULL CHECK (state IN ('ACTIVE', 'CANCELLED', 'ENDED')),
    PRIMARY KEY (caller, order_id),
    CHECK ((state = 'ACTIVE') = (next_due IS NOT NULL))
);
COMMENT ON TABLE list_order IS 'Periodic lists (IR 2024/2145 Art. 10); the caller''s rights are those of the moment a list is made';
CREATE INDEX list_order_due ON list_order (next_due) WHERE next_due IS NOT NULL;

CREATE TABLE list_delivery (
    caller   text NOT NULL,
    order_id text NOT NULL,
    number   integer NOT NULL,
    page     integer NOT NULL,
    body     bytea NOT NULL,
    made_at  timestamptz NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, order_id, number, page),
    FOREIGN KEY (caller, order_id) REFERENCES list_order
);
COMMENT ON TABLE list_delivery IS 'Lists that orders made, page by page; one number per period';

CREATE TABLE notice (
    notice_id    text PRIMARY KEY,
    version      integer NOT NULL CHECK (version > 0),
    function     text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('PLANNED', 'SUDDEN')),
    begins       timestamptz NOT NULL,
    ends         timestamptz,
    reason       text NOT NULL,
    degraded     text NOT NULL,
    announced_by text NOT NULL,
    issuer       text NOT NULL,
    told_version integer NOT NULL DEFAULT 0
);
COMMENT ON COLUMN notice.issuer IS 'Of whose licences it speaks; empty: of all';
COMMENT ON TABLE notice IS 'Notices of unavailability as they stand (IR 2024/2145 Art. 11); told_version is what callers know';
CREATE INDEX notice_untold ON notice (notice_id) WHERE told_version < version;

CREATE TABLE notice_version (
    notice_id    text NOT NULL REFERENCES notice,
    version      integer NOT NULL,
    ends         timestamptz,
    announced_by text NOT NULL,
    at           timestamptz NOT NULL,
    written_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (notice_id, version)
);
COMMENT ON TABLE notice_version IS 'Every announcement and every change of an end: who and when; append-only';

CREATE INDEX record_version_at ON record_version (at);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON record_version FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON record_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON notice_version FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON notice_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON list_delivery FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON list_delivery FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON record_version, list_delivery, notice_version TO certex_app;
GRANT SELECT, INSERT, UPDATE ON record, list_order, notice TO certex_app;
