-- Who asked about which licence, so that a change of its status is pushed to him.

CREATE TABLE interest (
    licence_id   text NOT NULL,
    caller       text NOT NULL,
    declaration  text NOT NULL,
    member_state text NOT NULL,
    asked_at     timestamptz NOT NULL,
    PRIMARY KEY (licence_id, caller, declaration)
) WITH (fillfactor = 80);
COMMENT ON TABLE interest IS 'Checks made for a declaration (IR 2024/2145 Art. 5(2)): whom a change of status concerns';
CREATE INDEX interest_age ON interest (asked_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON interest TO certex_app;
