-- name: as_of
-- Whatever is not visible yet began after this instant. Sessions of another role hide their times from us: then a
-- minute is taken off, the longest a transaction of the bridge can last.
SELECT least(now(), min(xact_start)) - CASE WHEN bool_or(query = '<insufficient privilege>')
       THEN interval '1 minute' ELSE interval '0' END AS as_of
FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'

-- name: find
-- The beginning of every question; what is asked is appended, one condition each.
SELECT licence_id, issuer, number, version, document_code, direction, status, valid_from, valid_to, holder, changed_at
FROM licence_index WHERE licence_id > $1

-- name: entries
-- Known licences among these.
SELECT licence_id, issuer, number, version, document_code, direction, status, valid_from, valid_to, holder, changed_at
FROM licence_index WHERE licence_id = ANY($1::text[])

-- name: contents
-- The versions in force.
SELECT licence_id, snapshot FROM licence WHERE licence_id = ANY($1::text[])

-- name: balances
-- As they stand, without trailing zeros.
SELECT licence_id, line_no, dim, unit, trim_scale(cap)::text, trim_scale(reserved)::text, trim_scale(consumed)::text
FROM account WHERE licence_id = ANY($1::text[]) ORDER BY licence_id, line_no, dim
