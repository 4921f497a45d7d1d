-- The single window: subscriptions to changes of status, what each is owed, and answers of functions without a ledger event.

CREATE TABLE subscription (
    subscription_id    text PRIMARY KEY,
    caller             text NOT NULL,
    member_state       text NOT NULL,
    declarations_shown boolean NOT NULL,
    scope              text NOT NULL CHECK (scope IN ('INTEREST', 'LICENCE', 'ISSUER', 'ALL')),
    issuer             text NOT NULL,
    licence_id         text NOT NULL,
    url                text NOT NULL,
    form               text NOT NULL CHECK (form IN ('JSON', 'XML')),
    key_check          text NOT NULL,
    created_at         timestamptz NOT NULL,
    valid_to           timestamptz,
    ended_at           timestamptz,
    paused             text NOT NULL DEFAULT '' CHECK (paused IN ('', 'OPERATOR', 'GONE')),
    last_number        bigint NOT NULL DEFAULT 0,
    failing_since      timestamptz,
    CHECK ((scope = 'LICENCE') = (licence_id <> '') AND (scope = 'ISSUER') = (issuer <> ''))
) WITH (fillfactor = 60);
COMMENT ON TABLE subscription IS 'Addresses of callers that hear of changes of status (IR (EU) 2024/2145 Art. 5(2)); no secret';
COMMENT ON COLUMN subscription.key_check IS 'Which key of CERTEX_PUSH_KEYS its secret is derived from';
CREATE INDEX subscription_of_caller ON subscription (caller, created_at) WHERE ended_at IS NULL;

CREATE TABLE push (
    subscription_id text NOT NULL REFERENCES subscription,
    number          bigint NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('status', 'list', 'notice')),
    subject         text NOT NULL,
    content_type    text NOT NULL,
    body            bytea NOT NULL,
    created_at      timestamptz NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    next_try        timestamptz NOT NULL DEFAULT '-infinity',
    delivered_at    timestamptz,
    last_error      text NOT NULL DEFAULT '',
    trace           text NOT NULL DEFAULT '',
    written_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subscription_id, number),
    CHECK (number > 0)
) WITH (fillfactor = 80);
COMMENT ON TABLE push IS 'What subscriptions are owed, dense per subscription and delivered in order';
CREATE INDEX push_owed ON push (subscription_id, number) WHERE delivered_at IS NULL;

CREATE TABLE call_answer (
    call_id text PRIMARY KEY,
    sha256  text NOT NULL,
    body    bytea NOT NULL,
    at      timestamptz NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE call_answer IS 'What was answered to a call of a function with own tables: the same id gets the same answer, for ever';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON call_answer FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON call_answer FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OF subscription_id, number, kind, subject, content_type, body, created_at, trace
    OR DELETE ON push FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON push FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON call_answer TO certex_app;
GRANT SELECT, INSERT, UPDATE ON subscription, push TO certex_app;
