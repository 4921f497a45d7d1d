-- name: guards
-- What keeps a wrong hand off the tables named in $1, one line each: columns, constraints, unique indexes, triggers with
-- the text of their functions, and what the application's role may write, by whatever grant or membership.
WITH ours AS (
    SELECT c.oid, c.relname AS name, c.relkind, c.relpersistence, c.relrowsecurity, c.relowner FROM pg_class c
    WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('movement'))
      AND c.relkind IN ('r', 'p') AND c.relname = ANY($1::text[]))
SELECT format('column %s.%s %s%s%s', name, attname, format_type(atttypid, atttypmod),
              CASE WHEN attnotnull THEN ' NOT NULL' END,
              CASE WHEN attidentity <> '' OR attgenerated <> '' THEN ' GENERATED' ELSE '' END
              || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')) AS line
FROM ours JOIN pg_attribute a ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = ours.oid AND d.adnum = a.attnum
UNION ALL
SELECT format('constraint %s.%s %s%s', name, conname, pg_get_constraintdef(k.oid),
              CASE WHEN NOT convalidated THEN ' NOT VALID' END)
FROM ours JOIN pg_constraint k ON k.conrelid = ours.oid WHERE contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
SELECT format('unique index %s.%s %s%s', name, c.relname, substring(pg_get_indexdef(c.oid) FROM 'USING .*'),
              CASE WHEN NOT i.indisvalid THEN ' INVALID' END)
FROM ours JOIN pg_index i ON i.indrelid = ours.oid JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indisunique
UNION ALL
SELECT format('trigger %s.%s %s %s', name, tgname, substring(pg_get_triggerdef(t.oid, true) FROM '(?:BEFORE|AFTER) .*'),
              CASE tgenabled WHEN 'O' THEN 'ON' WHEN 'A' THEN 'ALWAYS' WHEN 'R' THEN 'ON REPLICAS ONLY' ELSE 'OFF' END)
FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid AND NOT tgisinternal JOIN pg_proc p ON p.oid = t.tgfoid
UNION ALL
SELECT DISTINCT format('function %s %s %s%s%s', p.proname, l.lanname, encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex'),
                       CASE WHEN p.prosecdef THEN ' AS OWNER' END,
                       CASE WHEN format('search_path=%s, pg_temp', quote_ident(current_schema())) = ANY(p.proconfig)
                            THEN ' IN ITS SCHEMA' END)
FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid AND NOT tgisinternal JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_language l ON l.oid = p.prolang
UNION ALL
SELECT DISTINCT format('foreign keys of %s are not enforced', name)
FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid AND tgisinternal AND tgenabled <> 'O'
UNION ALL
SELECT format('rule %s.%s', name, rulename) FROM ours JOIN pg_rewrite r ON r.ev_class = ours.oid
UNION ALL
SELECT format('%s is %s', name, CASE WHEN relrowsecurity THEN 'under row security' ELSE 'not logged' END)
FROM ours WHERE relrowsecurity OR relpersistence <> 'p'
UNION ALL
SELECT format('certex_app may %s %s', privilege, name)
FROM ours CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS privilege
WHERE has_table_privilege('certex_app', ours.oid, privilege)
UNION ALL
SELECT format('certex_app may UPDATE %s.%s', name, attname)
FROM ours JOIN pg_attribute a ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
WHERE NOT has_table_privilege('certex_app', ours.oid, 'UPDATE')
  AND has_column_privilege('certex_app', ours.oid, attnum, 'UPDATE')
UNION ALL
SELECT format('certex_app is as good as the owner of %s', name) FROM ours
WHERE pg_has_role('certex_app', relowner, 'MEMBER')
UNION ALL
SELECT format('setting %s', setting) FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS setting
WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND setting LIKE 'session_replication_role=%'
ORDER BY line

-- name: newer
-- Whether the schema has migrations of a later release: what they added is not known to this one.
SELECT EXISTS (SELECT FROM schema_version WHERE number <> ALL($1::int[]))
