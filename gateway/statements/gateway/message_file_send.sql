-- As message_send, for a message whose file was stored meanwhile.  $4 names it, and $8 is the digest of
-- the request that had it
SELECT m.id, m.id AS message_id, m.session_id, m.status, m."timestamp", m.replayed
FROM wa.send_message($1::uuid, $2::text, $3::text, $4::jsonb, $5::uuid, $6::text[], $7::text, $8::bytea) AS m
