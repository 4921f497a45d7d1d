-- The ledger: licences, accounts, declarations, claims, and the append-only journal.
-- Quantities are numeric(22,6), values fit in as well; the scale is checked before the database, which would round.

CREATE TABLE licence (
    licence_id      text PRIMARY KEY,
    version         integer NOT NULL DEFAULT 0,
    payload_sha256  text NOT NULL DEFAULT '',
    status          text NOT NULL DEFAULT 'Unknown',
    expired_version integer NOT NULL DEFAULT 0,
    valid_to        date,
    lv              bigint NOT NULL DEFAULT 0,
    nv              bigint NOT NULL DEFAULT 0,
    cv              bigint NOT NULL DEFAULT 0,
    iv              bigint NOT NULL DEFAULT 0,
    sv              bigint NOT NULL DEFAULT 0,
    chain           bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    snapshot        bytea,
    holder          text NOT NULL DEFAULT '',
    frozen          boolean NOT NULL DEFAULT false,
    CHECK (version >= 0 AND lv >= 0 AND nv >= 0 AND cv >= 0 AND iv >= 0 AND sv >= 0)
) WITH (fillfactor = 60);
CREATE INDEX licence_of_number ON licence ((substr(licence_id, strpos(licence_id, '/') + 1))) WHERE version > 0;
COMMENT ON TABLE licence IS 'One row per licence; version 0 is the placeholder of a licence not seen yet';
COMMENT ON COLUMN licence.holder IS 'Identification number of the holder, from the version in force';
CREATE INDEX licence_of_holder ON licence (holder) WHERE holder <> '';
CREATE INDEX licence_to_expire ON licence (valid_to) WHERE valid_to IS NOT NULL AND expired_version < version;

CREATE TABLE account (
    licence_id text NOT NULL REFERENCES licence,
    line_no    integer NOT NULL,
    dim        text NOT NULL CHECK (dim IN ('QTY', 'VAL')),
    unit       text NOT NULL,
    replaced   text NOT NULL DEFAULT '',
    cap        numeric(22, 6) NOT NULL,
    reserved   numeric(22, 6) NOT NULL,
    consumed   numeric(22, 6) NOT NULL,
    over       numeric(22, 6) NOT NULL,
    available  numeric(22, 6) NOT NULL,
    PRIMARY KEY (licence_id, line_no, dim),
    CHECK (cap >= 0 AND reserved >= 0 AND consumed >= 0 AND over >= 0 AND available >= 0),
    CHECK (cap + over = available + reserved + consumed),
    CHECK (available = 0 OR over = 0)
) WITH (fillfactor = 50);
COMMENT ON TABLE account IS 'Balance of one line (0: the whole licence) in one dimension; rebuilt from movement at any time';

COMMENT ON COLUMN account.replaced IS 'Currency it was kept in before the euro replaced that; empty: none';

CREATE TABLE anchor (
    lrn       text PRIMARY KEY,
    exporters text NOT NULL DEFAULT '[]',
    marks     text NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE anchor IS 'What was sent under a local reference number: exporters (JSON array), lodgings and MRNs (JSON)';

CREATE TABLE declaration (
    decl_id     text PRIMARY KEY,
    dv          bigint NOT NULL DEFAULT 0,
    facts       bytea,
    said        text NOT NULL DEFAULT '',
    waiting_for text NOT NULL DEFAULT '[]',
    joined      boolean NOT NULL DEFAULT false,
    lrn         text NOT NULL DEFAULT '',
    exporter    text NOT NULL DEFAULT '',
    state       text NOT NULL DEFAULT '',
    unpresented_since timestamptz,
    identity    bytea,
    undecided_since timestamptz,
    unreleased_since timestamptz,
    touched_at  timestamptz NOT NULL DEFAULT now(),
    CHECK (dv >= 0)
) WITH (fillfactor = 60);
COMMENT ON TABLE declaration IS 'Merged facts of one declaration: by MRN, or exporter/LRN before acceptance';
CREATE INDEX declaration_to_present ON declaration (unpresented_since) WHERE state = 'LODGED' AND NOT joined;
CREATE INDEX declaration_undecided ON declaration (undecided_since) WHERE undecided_since IS NOT NULL;
CREATE INDEX declaration_unreleased ON declaration (unreleased_since) WHERE unreleased_since IS NOT NULL;
COMMENT ON COLUMN declaration.unreleased_since IS 'The goods left then, and no release was told';
COMMENT ON COLUMN declaration.identity IS 'How it got its facts: an MRN''s own and its lodging, a draft''s events (JSON)';
COMMENT ON COLUMN declaration.undecided_since IS 'Accepted or released then, and which content it has cannot be told';
COMMENT ON COLUMN declaration.touched_at IS 'When an event last changed it; in no index, so that writing it costs nothing';
COMMENT ON COLUMN declaration.unpresented_since IS 'When it was lodged, while its goods are not presented (UCC Art. 171)';

CREATE TABLE claim (
    decl_id       text NOT NULL REFERENCES declaration,
    item          integer NOT NULL,
    doc_seq       integer NOT NULL,
    licence_id    text NOT NULL REFERENCES licence,
    line_no       integer NOT NULL,
    state         text NOT NULL,
    q_req         numeric(22, 6) NOT NULL,
    q_res         numeric(22, 6) NOT NULL,
    q_cons        numeric(22, 6) NOT NULL,
    q_unc         numeric(22, 6) NOT NULL,
    v_req         numeric(22, 6) NOT NULL,
    v_res         numeric(22, 6) NOT NULL,
    v_cons        numeric(22, 6) NOT NULL,
    v_unc         numeric(22, 6) NOT NULL,
    attempt       text NOT NULL,
    outcome       text NOT NULL,
    reasons       text NOT NULL,
    document_code text NOT NULL,
    source        text NOT NULL,
    refused_at    timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (decl_id, item, doc_seq, licence_id, line_no),
    CHECK (q_res >= 0 AND q_cons >= 0 AND q_unc >= 0 AND v_res >= 0 AND v_cons >= 0 AND v_unc >= 0),
    CHECK (state NOT IN ('UNRESERVED', 'WITHDRAWN', 'CLOSED', 'NOT_MANAGED', 'NOT_APPLICABLE', 'CHECKED')
           OR (q_res = 0 AND q_cons = 0 AND v_res = 0 AND v_cons = 0)),
    CHECK (state NOT IN ('CONSUMED', 'UNCOVERED') OR (q_res = 0 AND v_res = 0))
) WITH (fillfactor = 80);
COMMENT ON TABLE claim IS 'One document on one goods item against one licence line; terminal states hold nothing';
COMMENT ON COLUMN claim.refused_at IS 'The moment on whose balance it was refused or left uncovered; -infinity: it is neither';
CREATE INDEX claim_refused ON claim (licence_id, refused_at) WHERE refused_at > '-infinity';
CREATE INDEX claim_open ON claim (licence_id) WHERE state IN ('CHECKED', 'WAITING', 'REFUSED', 'RESERVED', 'NOT_MANAGED');

CREATE TABLE movement (
    licence_id text NOT NULL REFERENCES licence,
    lv         bigint NOT NULL,
    seq        integer NOT NULL,
    line_no    integer NOT NULL,
    dim        text NOT NULL,
    kind       text NOT NULL,
    event_id   text NOT NULL,
    claim      text NOT NULL,
    d_cap      numeric(22, 6) NOT NULL,
    d_res      numeric(22, 6) NOT NULL,
    d_cons     numeric(22, 6) NOT NULL,
    d_over     numeric(22, 6) NOT NULL,
    at         text NOT NULL,
    detail     text NOT NULL,
    chain      text NOT NULL,
    effect     uuid NOT NULL UNIQUE,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (licence_id, lv, seq),
    CHECK (d_over <= 0 OR kind IN ('CAP', 'OVERRIDE', 'REDENOMINATE')),
    CHECK (kind IN ('RESERVE', 'CONSUME', 'UNRESERVE', 'ADJUST', 'WITHDRAW', 'OVERRIDE', 'CORRECT', 'REDENOMINATE',
                    'CAP', 'VERSION', 'STATUS'))
);
COMMENT ON TABLE movement IS 'The journal: append-only, hash-chained per licence; the record of decisions';
COMMENT ON COLUMN movement.chain IS 'sha256(chain value before, canonical text of this row), hexadecimal';
COMMENT ON COLUMN movement.effect IS 'Hash of (event, licence, claim, line, dimension, kind): one event moves a figure once';

CREATE TABLE licence_version (
    licence_id  text NOT NULL REFERENCES licence,
    version     integer NOT NULL,
    event_id    text NOT NULL,
    at          text NOT NULL,
    status      text NOT NULL,
    snapshot    bytea NOT NULL,
    certificate bytea NOT NULL,
    document    text,
    original_type text,
    original    bytea,
    payload_sha256 text NOT NULL,
    content     text NOT NULL CHECK (content IN ('OWN', 'BEFORE', 'NOT_TAKEN')),
    written_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (licence_id, version)
);
COMMENT ON COLUMN licence_version.document IS 'Hash of the attached document that counts for this version; NULL: none was ever attached';
COMMENT ON COLUMN licence_version.original IS 'The authority''s own bytes, of the media type beside; NULL: this version had no content of its own, the one before counts';
COMMENT ON TABLE licence_version IS 'Every version that was ever in force, with the certificate document of that moment; later ones are in outbox';

CREATE TABLE licence_document (
    licence_id text NOT NULL REFERENCES licence,
    sha256     text NOT NULL,
    media_type text NOT NULL,
    content    bytea NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (licence_id, sha256),
    CHECK (sha256 = encode(sha256(content), 'hex'))
);
COMMENT ON TABLE licence_document IS 'Documents that authorities attached to licences (IR (EU) 2024/2145 Art. 5(1)(c)), once under their hash';

COMMENT ON COLUMN licence_version.content IS 'Of its own event, or that of the version before: a bare act, or one whose content was not taken';

CREATE TABLE refused_licence_event (
    event_id       text PRIMARY KEY,
    licence_id     text NOT NULL,
    kind           text NOT NULL,
    version        integer NOT NULL,
    verdict        text NOT NULL,
    act            text NOT NULL CHECK (act IN ('', 'TAKEN', 'KEPT', 'LOST')),
    status         text NOT NULL,
    sub_status     text NOT NULL,
    bare           boolean NOT NULL,
    payload_sha256 text NOT NULL,
    findings       text NOT NULL,
    at             text NOT NULL,
    written_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE refused_licence_event IS 'Licence events refused as a whole or in their content; an act that is KEPT takes effect with its licence';
CREATE INDEX refused_licence_event_recent ON refused_licence_event (written_at);
CREATE INDEX refused_licence_event_kept ON refused_licence_event (licence_id) WHERE act = 'KEPT';

CREATE TABLE licence_index (
    licence_id    text COLLATE "C" PRIMARY KEY REFERENCES licence,
    issuer        text NOT NULL,
    number        text NOT NULL,
    version       integer NOT NULL,
    document_code text NOT NULL,
    direction     text NOT NULL,
    status        text NOT NULL,
    valid_from    date,
    valid_to      date,
    holder        text NOT NULL,
    terms         text[] NOT NULL,
    changed_at    timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
COMMENT ON TABLE licence_index IS 'What licences are listed by; written with every version and every change of a status';
COMMENT ON COLUMN licence_index.changed_at IS 'Begin of the transaction, so that no running one can date its change before a list already given';
CREATE INDEX licence_index_issuer ON licence_index (issuer, licence_id);
CREATE INDEX licence_index_holder ON licence_index (holder, licence_id);
CREATE INDEX licence_index_changed ON licence_index (changed_at);
CREATE INDEX licence_index_terms ON licence_index USING gin (terms);

CREATE TABLE exporter_bar (
    issuer        text NOT NULL,
    eori          text NOT NULL,
    document_code text NOT NULL,
    from_day      date,
    PRIMARY KEY (issuer, eori, document_code)
);
COMMENT ON TABLE exporter_bar IS 'Exporters barred from general authorisations (Regulation (EU) 2021/821 Art. 12(7))';

CREATE TABLE status_change (
    licence_id      text NOT NULL REFERENCES licence,
    change_no       bigint NOT NULL,
    old             text NOT NULL,
    new             text NOT NULL,
    reason          text NOT NULL,
    at              text NOT NULL,
    event_id        text NOT NULL,
    exporter        text NOT NULL,
    licence_version integer NOT NULL,
    lv              bigint NOT NULL,
    number          text NOT NULL,
    document_code   text NOT NULL,
    direction       text NOT NULL,
    valid_from      date,
    valid_to        date,
    trace           text NOT NULL DEFAULT '',
    written_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (licence_id, change_no)
);
COMMENT ON TABLE status_change IS 'Every change of a status, dense per licence (IR (EU) 2024/2145 Art. 5(2)); append-only';
COMMENT ON COLUMN status_change.exporter IS 'For a bar of an exporter: whose claims it bears on';

CREATE TABLE status_unsent (
    queue_no   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    licence_id text NOT NULL,
    change_no  bigint NOT NULL
);
COMMENT ON TABLE status_unsent IS 'Changes of status not yet handed to the subscribers; the number is drawn under the locks';

CREATE TABLE inbox (
    event_id    text PRIMARY KEY,
    sha256      text NOT NULL,
    source      text NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    record      bigint NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE inbox IS 'Every event id ever applied, with the hash of its content: the first barrier against doubles';

CREATE TABLE answer (
    event_id text PRIMARY KEY,
    body     text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE answer IS 'What was answered to an event: the same id gets the same answer, for ever';

CREATE TABLE parked (
    licence_id text NOT NULL,
    decl_id    text NOT NULL,
    parked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (licence_id, decl_id)
);
CREATE INDEX parked_of_number ON parked ((substr(licence_id, strpos(licence_id, '/') + 1)));
COMMENT ON TABLE parked IS 'Declarations that wait for a licence not known yet; */NUMBER is one of any issuer';

CREATE TABLE licence_number (
    number text COLLATE "C" PRIMARY KEY
);
COMMENT ON TABLE licence_number IS 'What is locked while a number gets its first licence of an issuer, or is waited for whoever issues it';

CREATE TABLE wake (
    wake_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decl_id  text NOT NULL,
    cause    text NOT NULL,
    at       text NOT NULL,
    trace    text NOT NULL DEFAULT '',
    woken_at timestamptz NOT NULL DEFAULT now(),
    failures integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON COLUMN wake.not_before IS 'A wake whose settling failed comes again then; the log has the reason';
COMMENT ON TABLE wake IS 'Declarations to settle again; each in the transaction of the worker, not of the licence event';

CREATE TABLE woken (
    event_id text PRIMARY KEY,
    cause    text NOT NULL,
    decl_id  text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE woken IS 'Wakes that were settled: the cause of every movement that no event of the inbox made itself; append-only';
COMMENT ON COLUMN woken.event_id IS 'Made of cause and declaration; movements carry it';
COMMENT ON COLUMN woken.cause IS 'An event of the inbox, or another wake';

CREATE TABLE quarantine (
    quarantine_id text PRIMARY KEY,
    topic         text NOT NULL,
    partition     integer NOT NULL,
    record        bigint NOT NULL,
    code          text NOT NULL,
    field         text NOT NULL,
    value         text NOT NULL,
    message       text NOT NULL,
    event_id      text NOT NULL,
    key           bytea,
    raw           bytea,
    headers       bytea NOT NULL,
    at            timestamptz NOT NULL DEFAULT now(),
    resolved      text NOT NULL DEFAULT ''
);
CREATE INDEX quarantine_open ON quarantine (at) WHERE resolved = '';
COMMENT ON TABLE quarantine IS 'Records that could not be used: raw bytes, coded reason, until an operator resolves them';

CREATE TABLE unsent (
    batch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE unsent IS 'Outbox batches not published yet; the id is taken under the locks, so it orders each aggregate';

CREATE TABLE outbox (
    agg_type text NOT NULL,
    agg_id   text NOT NULL,
    agg_ver  bigint NOT NULL,
    batch_id bigint NOT NULL,
    pos      integer NOT NULL,
    key      text NOT NULL,
    body     bytea NOT NULL,
    at       text NOT NULL,
    trace    text NOT NULL DEFAULT '',
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (agg_type, agg_id, agg_ver)
);
COMMENT ON COLUMN outbox.trace IS 'W3C traceparent of what led to the message: publishing it belongs to the same trace; empty: none';
COMMENT ON TABLE outbox IS 'Every message ever published, by aggregate and dense version; can be sent again from any version';
CREATE INDEX outbox_batch ON outbox (batch_id);

CREATE TABLE held (
    agg_type text NOT NULL,
    agg_id   text NOT NULL,
    agg_ver  bigint NOT NULL,
    code     text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (agg_type, agg_id, agg_ver)
);
COMMENT ON TABLE held IS 'Messages the broker refuses; later versions of the same aggregate are held behind them';

CREATE TABLE consumer_offset (
    topic       text NOT NULL,
    partition   integer NOT NULL,
    next_record bigint NOT NULL,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE consumer_offset IS 'Where reading goes on, written with the effects';

-- What was written is never changed: not by the service, not by its owner.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON movement FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON movement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON inbox FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON inbox FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON answer FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON answer FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON licence_version FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON licence_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON licence_document FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON licence_document FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON refused_licence_event FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON refused_licence_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON status_change FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON status_change FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON woken FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON woken FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- A message keeps what it says; sent again, it goes in another batch. A record put aside keeps its bytes until resolved.
CREATE TRIGGER append_only BEFORE UPDATE OF agg_type, agg_id, agg_ver, key, body, at, trace OR DELETE ON outbox
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON outbox FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OF quarantine_id, topic, partition, record, code, field, value, message, event_id,
    key, raw, headers, at OR DELETE ON quarantine FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON quarantine FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The role the service works as: it may add to the journal, never change it.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'certex_app') THEN
        CREATE ROLE certex_app NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of the same server made it at this moment
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role certex_app is missing, and % may not create roles: '
            'let an administrator run CREATE ROLE certex_app NOLOGIN, then migrate again', current_user
            USING ERRCODE = 'insufficient_privilege';
END $$;
GRANT SELECT ON schema_version TO certex_app;  -- the service refuses to work on another schema
GRANT SELECT, INSERT ON movement, inbox, answer, licence_version, licence_document, refused_licence_event, status_change,
      woken, outbox TO certex_app;
GRANT SELECT, INSERT, UPDATE ON licence, licence_number, account, anchor, declaration, claim, quarantine, consumer_offset, exporter_bar, licence_index
    TO certex_app;
GRANT SELECT, INSERT, DELETE ON parked, wake, unsent, status_unsent, held TO certex_app;
GRANT UPDATE (batch_id, pos) ON outbox TO certex_app;  -- sending messages again, in order
GRANT UPDATE ON wake TO certex_app;  -- FOR UPDATE SKIP LOCKED asks for it
