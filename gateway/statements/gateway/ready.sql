-- GET /readyz: the database answers, and the extension is there.
SELECT wa.version()
