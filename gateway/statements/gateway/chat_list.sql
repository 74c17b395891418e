-- $1 session, $2 what names or phone number contain or null, $3 only chats with unread messages or
-- without, $4 only archived ones or others, $5 and $6 place of the last chat of the page before,
-- $7 rows; $2 to $6 may be null.
-- No row: no such session.  A row whose jid is null: the place where the next page begins, or a
-- session without (more) chats.
-- CASE and not COALESCE: under row security a COALESCE is no index condition, because the
-- planner takes it for leaky.
-- IS DISTINCT FROM: what is null filters nothing.  LIMIT 1: what was found is looked up row by row,
-- never by a join that reads all chats.
SELECT c.jid AS id, s.id AS session_id, c.jid, c.type, c.name, c.last_message_at, c.unread_count, c.archived,
	c.pinned, c.muted_until, c.place_active_at, c.place
FROM wa.session AS s
LEFT JOIN LATERAL (
	(SELECT h.jid, h.type, h.name, h.last_message_at, h.unread_count, h.archived,
		h.pinned, h.muted_until, h.active_at AS place_active_at, h.jid AS place
	FROM wa.chat AS h
	WHERE $2::text IS NULL
		AND h.session_id = $1::uuid
		AND h.active_at <= CASE WHEN $5::timestamptz IS NULL THEN 'infinity'::timestamptz ELSE $5::timestamptz END
		AND (h.active_at < COALESCE($5::timestamptz, 'infinity'::timestamptz)
			OR h.jid > COALESCE($6::text, ''))
		AND (h.unread_count = 0) IS DISTINCT FROM $3::bool
		AND (NOT h.archived) IS DISTINCT FROM $4::bool
	ORDER BY h.active_at DESC, h.jid
	LIMIT $7::int4)
	UNION ALL
	SELECT h.jid, h.type, h.name, h.last_message_at, h.unread_count, h.archived,
		h.pinned, h.muted_until, f.place_active_at, f.place
	FROM wa.search_chats($1::uuid, $2::text, $3::bool, $4::bool, $5::timestamptz, $6::text, $7::int4) AS f
	LEFT JOIN LATERAL (
		SELECT * FROM wa.chat AS e WHERE e.session_id = $1::uuid AND e.jid = f.jid LIMIT 1
	) AS h ON true
	WHERE $2::text IS NOT NULL
) AS c ON true
WHERE s.id = $1::uuid
ORDER BY c.place_active_at DESC, c.place, c.jid
