-- Runs before the file in a message is stored: as message_send, with the file in $4.  If the
-- message was sent before, this is its first answer.  Also the time in milliseconds since 1970.
SELECT m.id, m.id AS message_id, m.session_id, m.status, m."timestamp", m.org_id, m.mimetype, m.request_digest, m.replayed,
	floor(extract(epoch FROM now()) * 1000)::int8 AS begun_ms
FROM wa.begin_file_message($1::uuid, $2::text, $3::text, $4::jsonb, $5::uuid, $6::text[], $7::text) AS m
