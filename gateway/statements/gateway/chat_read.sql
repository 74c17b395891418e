-- $1 session, $2 chat
SELECT c.jid AS id, c.session_id, c.jid, c.type, c.name, c.last_message_at, c.unread_count,
	c.archived, c.pinned, c.muted_until
FROM wa.read_chat($1::uuid, $2::text) AS c
