-- Runs before a request with credentials is stored: what they are sealed to.  $1 session, or null
-- and $2 connector of a new one; null = the default
SELECT k.org_id, k.key_id, k.public_key
FROM wa.sealing_key($1::uuid, $2::text) AS k
