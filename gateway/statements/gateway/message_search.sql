-- $1 session, $2 what texts contain, $3 only this chat or null, $4 to $7 place of the last row of
-- the page before or null, $8 rows.  No row: no such session.  A row without an id: the place
-- where the next page begins, or a session without (more) such messages.
-- LIMIT 1: what was found is looked up row by row, never by a join that reads all messages.
SELECT m.id, f.session_id, m.session_phone_number, m.chat_jid, m.wa_message_id, m.direction,
	m.direction = 'out' AS from_me, m.sender_jid, m.sender_name, m.type, m.body, m.content, m.quoted_message_id, m.mentions,
	m.media IS NOT NULL OR m.type IN ('image', 'video', 'audio', 'document', 'sticker')
		AS has_media,
	CASE WHEN m.type IN ('image', 'video', 'audio', 'document', 'sticker')
		THEN COALESCE(m.media, 'null'::jsonb) ELSE m.media END AS media,
	CASE WHEN m.status = 'sending' THEN 'queued'
		WHEN m.status = 'delivered' AND m.direction = 'in' AND m.id <= c.read_to THEN 'read'
		ELSE m.status END AS status,
	m.error, m.error_code, m.edited, m.revoked, m.forwarded, m.reactions, m.sent_at AS "timestamp", m.created_at,
	f.place_active_at, f.place_chat, f.place_sent_at, f.place
FROM (
	SELECT s.id AS session_id, p.id, p.place_active_at, p.place_chat, p.place_sent_at, p.place, p.ordinality
	FROM wa.session AS s
	LEFT JOIN LATERAL wa.search_messages($1::uuid, $2::text, $3::text, $4::timestamptz, $5::timestamptz,
		$6::uuid, $7::text, $8::int4) WITH ORDINALITY AS p ON true
	WHERE s.id = $1::uuid
) AS f
LEFT JOIN LATERAL (
	SELECT * FROM wa.message AS n WHERE n.session_id = $1::uuid AND n.id = f.id LIMIT 1
) AS m ON true
LEFT JOIN LATERAL (
	SELECT e.read_to FROM wa.chat AS e WHERE e.session_id = $1::uuid AND e.jid = m.chat_jid LIMIT 1
) AS c ON true
ORDER BY f.ordinality
