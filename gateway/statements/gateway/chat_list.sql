-- $1 session, $2 and $3 place of the last chat of the page before or null, $4 rows.
-- No row: no such session.  A row whose jid is null: a session without (more) chats.
-- CASE and not COALESCE: under row security a COALESCE is no index condition, because the
-- planner takes it for leaky.
SELECT c.jid, c.active_at, c.jid AS id, s.id, c.type, c.name, c.last_message_at, c.unread_count, c.archived,
	c.pinned, c.muted_until
FROM wa.session AS s
LEFT JOIN LATERAL (
	SELECT h.jid, h.active_at, h.type, h.name, h.last_message_at, h.unread_count, h.archived,
		h.pinned, h.muted_until
	FROM wa.chat AS h
	WHERE h.session_id = $1::uuid
		AND h.active_at <= CASE WHEN $2::timestamptz IS NULL THEN 'infinity'::timestamptz ELSE $2::timestamptz END
		AND (h.active_at < COALESCE($2::timestamptz, 'infinity'::timestamptz)
			OR h.jid > COALESCE($3::text, ''))
	ORDER BY h.active_at DESC, h.jid
	LIMIT $4::int4
) AS c ON true
WHERE s.id = $1::uuid
ORDER BY c.active_at DESC, c.jid
