-- Goods released against the ledger's verdict: what a caller that is not stopped by it needs to see before it is.

CREATE TABLE mismatch (
    event_id     text NOT NULL,
    decl_id      text NOT NULL REFERENCES declaration,
    item         integer NOT NULL,
    doc_seq      integer NOT NULL,
    licence_id   text NOT NULL REFERENCES licence,
    line_no      integer NOT NULL,
    member_state text NOT NULL,
    source       text NOT NULL,
    verdict      text NOT NULL CHECK (verdict IN ('REFUSED', 'WAITING', 'INVALIDATED')),
    reasons      text NOT NULL,
    recorded     boolean NOT NULL,
    at           timestamptz NOT NULL,
    written_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (decl_id, item, doc_seq, licence_id, line_no, event_id)
);
COMMENT ON TABLE mismatch IS 'Claims refused, waiting or invalidated whose goods customs let go all the same; append-only';
COMMENT ON COLUMN mismatch.recorded IS 'Whether the release became a fact; false: the call was refused (CLAIM_STATE)';
COMMENT ON COLUMN mismatch.source IS 'Who told the release: CloudEvents source, urn:certex-bridge:caller:<name> for a call';
CREATE INDEX mismatch_told ON mismatch (member_state, at);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON mismatch FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON mismatch FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON mismatch TO certex_app;
