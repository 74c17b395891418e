-- $1 session, $2 recipient, $3 type, $4 the type's fields, $5 message replied to, $6 mentions,
-- $7 Idempotency-Key
SELECT m.id, m.id AS message_id, m.session_id, m.status, m."timestamp", m.replayed
FROM wa.send_message($1::uuid, $2::text, $3::text, $4::jsonb, $5::uuid, $6::text[], $7::text) AS m
