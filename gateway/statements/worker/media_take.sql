-- $1 bytes at most
SELECT t.org_id, t.sha256, t.removal
FROM wa.take_unused_bytes($1::int4) AS t
