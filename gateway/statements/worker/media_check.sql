-- $1 rows at most
SELECT t.org_id, t.sha256, t.size
FROM wa.take_stored_bytes($1::int4) AS t
