SELECT c.jid AS id, c.session_id, c.jid, c.type, c.name, c.last_message_at, c.unread_count,
	c.archived, c.pinned, c.muted_until
FROM wa.chat AS c
WHERE c.session_id = $1::uuid
	AND c.jid = wa.chat_jid($2::text)
