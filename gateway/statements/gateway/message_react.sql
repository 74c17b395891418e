-- $1 session, $2 message, $3 emoji; empty = takes the reaction back
SELECT a.id, a.message_id, a.session_id, a.status, a."timestamp"
FROM wa.react_to_message($1::uuid, $2::uuid, $3::text) AS a
