-- $1 session, $2 recipient, $3 type, $4 body, $5 content, $6 message replied to, $7 mentions
SELECT m.id, m.id AS message_id, m.session_id,
	CASE m.status WHEN 'sending' THEN 'queued' ELSE m.status END AS status, m.created_at
FROM wa.send_message($1::uuid, $2::text, $3::text, $4::text, $5::jsonb, $6::uuid, $7::text[]) AS m
