-- GET /readyz: the database answers, the extension is there, and changes are taken: no
-- standby, and no database or login that is set to read only.
SELECT pg_catalog.current_setting('transaction_read_only') = 'off' AND wa.version() IS NOT NULL
