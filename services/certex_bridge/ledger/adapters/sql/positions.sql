-- name: positions
-- What the database holds of partitions.
SELECT c.topic, c.partition, c.next_record, c.cluster_id, c.topic_id, c.epoch
FROM consumer_offset c JOIN unnest($1::text[], $2::int[]) AS n(topic, partition) USING (topic, partition)

-- name: begin_position
-- The first position of a partition.
INSERT INTO consumer_offset (topic, partition, next_record, cluster_id, topic_id) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
RETURNING topic

-- name: move_position
-- A position set anew where it is still what was seen; what it was is kept where that tells something.
WITH before AS (
    SELECT * FROM consumer_offset WHERE topic = $1 AND partition = $2 AND next_record = $3 AND epoch = $4 FOR UPDATE
), kept AS (
    INSERT INTO position_history (topic, partition, epoch, next_record, cluster_id, topic_id, cause, moved_to)
    SELECT topic, partition, epoch, next_record, cluster_id, topic_id, $9::text, $5::bigint FROM before WHERE $10::bool
)
UPDATE consumer_offset c SET next_record = $5, cluster_id = $6, topic_id = $7, epoch = $8
FROM before WHERE c.topic = before.topic AND c.partition = before.partition
RETURNING c.topic

-- name: write_gap
-- A gap that was found, once.
INSERT INTO position_gap (topic, partition, epoch, from_record, to_record, cluster_id, topic_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING

-- name: accepted_to
-- How far an operator accepted what is lost from a record on.
SELECT max(to_record) FROM position_gap_accepted WHERE topic = $1 AND partition = $2 AND epoch = $3 AND from_record = $4

-- name: gaps
-- Every gap; open is the largest at which the position stands.
SELECT g.topic, g.partition, g.epoch, g.from_record, g.to_record,
       a.accepted_at IS NULL AND c.topic IS NOT NULL AND NOT EXISTS (
           SELECT FROM position_gap larger
           WHERE (larger.topic, larger.partition, larger.epoch, larger.from_record)
                 = (g.topic, g.partition, g.epoch, g.from_record) AND larger.to_record > g.to_record),
       g.found_at, a.accepted_by, a.reason, a.accepted_at
FROM position_gap g
LEFT JOIN position_gap_accepted a USING (topic, partition, epoch, from_record, to_record)
LEFT JOIN consumer_offset c
       ON (c.topic, c.partition, c.epoch, c.next_record) = (g.topic, g.partition, g.epoch, g.from_record)
ORDER BY g.found_at, g.topic, g.partition

-- name: accept_gap
-- Who let reading go on behind a gap, and why.
INSERT INTO position_gap_accepted (topic, partition, epoch, from_record, to_record, accepted_by, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7)
