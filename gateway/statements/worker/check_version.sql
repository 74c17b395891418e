-- At start, before anything else: is the extension installed, and which version?
SELECT e.extversion
FROM pg_catalog.pg_extension AS e
WHERE e.extname = 'wa_apikeys'
