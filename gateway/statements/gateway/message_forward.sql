-- $1 session, $2 message, $3 recipient, $4 Idempotency-Key; message_id is that of the copy
SELECT a.id, a.message_id, a.session_id, a.status, a."timestamp", a.replayed
FROM wa.forward_message($1::uuid, $2::uuid, $3::text, $4::text) AS a
