-- $1 session, $2 only chats with unread messages or without, $3 only archived ones or others,
-- $4 and $5 place of the last chat of the page before, $6 rows; $2 to $5 may be null.
-- No row: no such session.  A row whose jid is null: a session without (more) chats.
-- CASE and not COALESCE: under row security a COALESCE is no index condition, because the
-- planner takes it for leaky.
-- IS DISTINCT FROM: what is null filters nothing.
SELECT c.jid AS id, s.id AS session_id, c.jid, c.active_at, c.type, c.name, c.last_message_at, c.unread_count, c.archived,
	c.pinned, c.muted_until
FROM wa.session AS s
LEFT JOIN LATERAL (
	SELECT h.jid, h.active_at, h.type, h.name, h.last_message_at, h.unread_count, h.archived,
		h.pinned, h.muted_until
	FROM wa.chat AS h
	WHERE h.session_id = $1::uuid
		AND h.active_at <= CASE WHEN $4::timestamptz IS NULL THEN 'infinity'::timestamptz ELSE $4::timestamptz END
		AND (h.active_at < COALESCE($4::timestamptz, 'infinity'::timestamptz)
			OR h.jid > COALESCE($5::text, ''))
		AND (h.unread_count = 0) IS DISTINCT FROM $2::bool
		AND (NOT h.archived) IS DISTINCT FROM $3::bool
	ORDER BY h.active_at DESC, h.jid
	LIMIT $6::int4
) AS c ON true
WHERE s.id = $1::uuid
ORDER BY c.active_at DESC, c.jid
