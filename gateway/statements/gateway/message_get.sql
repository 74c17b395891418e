SELECT m.id, m.session_id, m.session_phone_number, m.chat_jid, m.wa_message_id, m.direction,
	m.direction = 'out' AS from_me, m.sender_jid, m.sender_name, m.type, m.body, m.content,
	m.quoted_message_id, m.mentions,
	m.media IS NOT NULL OR m.type IN ('image', 'video', 'audio', 'document', 'sticker')
		AS has_media,
	CASE WHEN m.type IN ('image', 'video', 'audio', 'document', 'sticker')
		THEN COALESCE(m.media, 'null'::jsonb) ELSE m.media END AS media,
	CASE WHEN m.status = 'sending' THEN 'queued'
		WHEN m.status = 'delivered' AND m.direction = 'in' AND m.id <= c.read_to THEN 'read'
		ELSE m.status END AS status,
	m.error, m.error_code, m.edited, m.revoked, m.forwarded, m.reactions, m.sent_at AS "timestamp", m.created_at
FROM wa.message AS m
JOIN wa.chat AS c ON c.org_id = m.org_id AND c.session_id = m.session_id AND c.jid = m.chat_jid
WHERE m.session_id = $1::uuid
	AND m.id = $2::uuid
