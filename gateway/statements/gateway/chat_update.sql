-- $1 session, $2 chat, $3 archived, $4 pinned, $5 muted until; null = as it is
SELECT c.jid AS id, c.session_id, c.jid, c.type, c.name, c.last_message_at, c.unread_count,
	c.archived, c.pinned, c.muted_until
FROM wa.update_chat($1::uuid, $2::text, $3::bool, $4::bool, $5::timestamptz) AS c
