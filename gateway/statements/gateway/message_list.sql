-- $1 session, $2 chat, $3 and $4 only before this message or time, $5 and $6 only after
-- this message or time, $7 and $8 time and id of the last message of the page before, $9 rows;
-- $3 to $8 may be null.  No row: no such chat.  A row whose id is null: no (more) messages.
-- In WhatsApp's order: by the time of sending, and by arrival where that is the same.  A message
-- that is late stands where it belongs, and pages go on by both.
-- One bound at each end is an index condition, the closest: an index begins at the first of
-- several.  LEAST and GREATEST leave out what is null.
-- Rows end behind 8 MiB of texts, so that a page of the largest is not too large to be
-- fetched: the gateway, which shows 4 MiB, makes a cursor of what it shows last.
SELECT m.id, p.session_id, m.session_phone_number, p.jid AS chat_jid, m.wa_message_id, m.direction,
	m.direction = 'out' AS from_me, m.sender_jid, m.sender_name, m.type, m.body, m.content, m.quoted_message_id, m.mentions,
	m.media IS NOT NULL OR m.type IN ('image', 'video', 'audio', 'document', 'sticker')
		AS has_media,
	CASE WHEN m.type IN ('image', 'video', 'audio', 'document', 'sticker')
		THEN COALESCE(m.media, 'null'::jsonb) ELSE m.media END AS media,
	CASE WHEN m.status = 'sending' THEN 'queued'
		WHEN m.status = 'delivered' AND m.direction = 'in' AND m.id <= p.read_to THEN 'read'
		ELSE m.status END AS status,
	m.error, m.error_code, m.edited, m.revoked, m.forwarded, m.reactions, m.sent_at AS "timestamp", m.created_at
FROM wa.chat AS p
LEFT JOIN LATERAL (
	SELECT q.*, sum(q.bytes) OVER (ORDER BY q.sent_at DESC, q.id DESC ROWS UNBOUNDED PRECEDING) - q.bytes
		AS bytes_before
	FROM (
		SELECT n.id, n.session_phone_number, n.wa_message_id, n.direction, n.sender_jid, n.sender_name, n.type, n.body, n.content,
			n.quoted_message_id, n.mentions, n.media, n.status, n.error, n.error_code, n.edited, n.revoked,
			n.forwarded, n.reactions, n.sent_at, n.created_at,
			COALESCE(octet_length(n.body), 0) + COALESCE(octet_length(n.content::text), 0)
				+ COALESCE(octet_length(n.media::text), 0) + COALESCE(octet_length(n.reactions::text), 0)
				AS bytes
		FROM wa.message AS n
		WHERE n.session_id = $1::uuid
			AND n.chat_jid = wa.chat_jid($2::text)
			AND n.sent_at <= LEAST($4::timestamptz, $7::timestamptz, (
				SELECT b.sent_at FROM wa.message AS b WHERE b.session_id = $1::uuid AND b.id = $3::uuid), 'infinity')
			AND n.sent_at >= GREATEST($6::timestamptz, (
				SELECT a.sent_at FROM wa.message AS a WHERE a.session_id = $1::uuid AND a.id = $5::uuid), '-infinity')
			AND ($4::timestamptz IS NULL OR n.sent_at < $4::timestamptz)
			AND ($6::timestamptz IS NULL OR n.sent_at > $6::timestamptz)
			AND ($8::uuid IS NULL OR n.sent_at < $7::timestamptz OR n.id < $8::uuid)
			AND ($3::uuid IS NULL OR n.id < $3::uuid OR n.sent_at < (
				SELECT b.sent_at FROM wa.message AS b WHERE b.session_id = $1::uuid AND b.id = $3::uuid))
			AND ($5::uuid IS NULL OR n.id > $5::uuid OR n.sent_at > (
				SELECT a.sent_at FROM wa.message AS a WHERE a.session_id = $1::uuid AND a.id = $5::uuid))
		ORDER BY n.sent_at DESC, n.id DESC
		LIMIT $9::int4
	) AS q
) AS m ON m.bytes_before < 8388608
WHERE p.session_id = $1::uuid
	AND p.jid = wa.chat_jid($2::text)
ORDER BY m.sent_at DESC, m.id DESC
