-- Prints a line for each table of the extension and of the application: its name, the
-- number of its rows, and a digest of them.  To be run by a superuser.
\set ON_ERROR_STOP on
SELECT format('SELECT %L, count(*), md5(string_agg(row, E''\n'' ORDER BY row)) FROM (SELECT to_jsonb(t)::text COLLATE "C" AS row FROM %s t) r',
	c.relname, c.oid::regclass)
FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace IN ('wa'::regnamespace, 'public'::regnamespace)
ORDER BY c.relname COLLATE "C" \gexec
