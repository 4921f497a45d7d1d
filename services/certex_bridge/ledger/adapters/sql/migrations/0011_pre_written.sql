-- Rows are sealed by when they were written. A block range index costs an insert next to nothing, and some kilobytes.

CREATE INDEX movement_written ON movement USING brin (written_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX licence_version_written ON licence_version USING brin (written_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX inbox_written ON inbox USING brin (received_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX answer_written ON answer USING brin (written_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX woken_written ON woken USING brin (written_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX outbox_written ON outbox USING brin (written_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX quarantine_written ON quarantine USING brin (at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX status_change_written ON status_change USING brin (written_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX mismatch_written ON mismatch USING brin (written_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX push_written ON push USING brin (written_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX call_answer_written ON call_answer USING brin (written_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX state_hash_written ON state_hash USING brin (written_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX row_history_written ON row_history USING brin (written_at) WITH (pages_per_range = 32, autosummarize = on);
