-- $1 session, $2 message, $3 new text or caption
SELECT a.id, a.message_id, a.session_id, a.status, a."timestamp"
FROM wa.edit_message($1::uuid, $2::uuid, $3::text) AS a
