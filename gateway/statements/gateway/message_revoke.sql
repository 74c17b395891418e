-- $1 session, $2 message
SELECT a.id, a.message_id, a.session_id, a.status, a."timestamp"
FROM wa.revoke_message($1::uuid, $2::uuid) AS a
