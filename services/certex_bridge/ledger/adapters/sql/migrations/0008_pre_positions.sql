-- Positions belong to a log: whose they are, how they were moved, and which records were never read.

ALTER TABLE consumer_offset ADD COLUMN cluster_id text NOT NULL DEFAULT '';
ALTER TABLE consumer_offset ADD COLUMN topic_id text NOT NULL DEFAULT '';
ALTER TABLE consumer_offset ADD COLUMN epoch bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN consumer_offset.cluster_id IS 'Kafka cluster that the number counts records of; empty: not known';
COMMENT ON COLUMN consumer_offset.topic_id IS 'Topic that the number counts records of, as the broker numbers it; empty: not known';
COMMENT ON COLUMN consumer_offset.epoch IS 'How often the number was set anew, for another log or a shortened one';

CREATE TABLE position_history (
    topic       text NOT NULL,
    partition   integer NOT NULL,
    epoch       bigint NOT NULL,
    next_record bigint NOT NULL,
    cluster_id  text NOT NULL,
    topic_id    text NOT NULL,
    cause       text NOT NULL CHECK (cause IN ('OTHER_LOG', 'LOG_CUT', 'GAP_ACCEPTED')),
    moved_to    bigint NOT NULL,
    moved_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, epoch, next_record)
);
COMMENT ON TABLE position_history IS 'Positions that were left without reading on from them: what they were, and why; append-only';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON position_history FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON position_history FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE position_gap (
    topic      text NOT NULL,
    partition  integer NOT NULL,
    epoch      bigint NOT NULL,
    from_record bigint NOT NULL,
    to_record  bigint NOT NULL,
    cluster_id text NOT NULL,
    topic_id   text NOT NULL,
    found_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, epoch, from_record, to_record),
    CHECK (from_record < to_record)
);
COMMENT ON TABLE position_gap IS 'Records that the log no longer had before they were read; append-only';
COMMENT ON COLUMN position_gap.to_record IS 'The first record that the log still had; the gap ends before it';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON position_gap FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON position_gap FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE position_gap_accepted (
    topic         text NOT NULL,
    partition     integer NOT NULL,
    epoch         bigint NOT NULL,
    from_record   bigint NOT NULL,
    to_record     bigint NOT NULL,
    accepted_by   text NOT NULL CHECK (accepted_by <> ''),
    reason        text NOT NULL CHECK (reason <> ''),
    database_role text NOT NULL DEFAULT session_user,
    accepted_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, epoch, from_record, to_record),
    FOREIGN KEY (topic, partition, epoch, from_record, to_record) REFERENCES position_gap
);
COMMENT ON TABLE position_gap_accepted IS 'Gaps behind which an operator let reading go on, with who and why; append-only';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON position_gap_accepted
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON position_gap_accepted
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON position_history, position_gap, position_gap_accepted TO certex_app;
