-- $1 session, $2 chat, $3 and $4 only before this message or time, $5 and $6 only after
-- this message or time, $7 id of the last message of the page before, $8 rows; $3 to $7
-- may be null.  No row: no such chat.  A row whose id is null: no (more) messages.
-- CASE and not COALESCE: under row security a COALESCE is no index condition, because the
-- planner takes it for leaky.
-- Rows end behind 8 MiB of texts, so that a page of the largest is not too large to be
-- fetched: the gateway, which shows 4 MiB, makes a cursor of what it shows last.
SELECT m.id, p.session_id, p.jid, m.wa_message_id, m.direction, m.direction = 'out' AS from_me,
	m.sender_jid, m.sender_name, m.type, m.body, m.content, m.quoted_message_id, m.mentions,
	m.media IS NOT NULL OR m.type IN ('image', 'video', 'audio', 'document', 'sticker')
		AS has_media,
	CASE WHEN m.type IN ('image', 'video', 'audio', 'document', 'sticker')
		THEN COALESCE(m.media, 'null'::jsonb) ELSE m.media END AS media,
	CASE WHEN m.status = 'sending' THEN 'queued'
		WHEN m.status = 'delivered' AND m.direction = 'in' AND m.id <= p.read_to THEN 'read'
		ELSE m.status END AS status,
	m.error, m.edited, m.revoked, m.forwarded, m.reactions, m.sent_at, m.created_at
FROM wa.chat AS p
LEFT JOIN LATERAL (
	SELECT q.*, sum(q.bytes) OVER (ORDER BY q.id DESC ROWS UNBOUNDED PRECEDING) - q.bytes AS bytes_before
	FROM (
		SELECT n.id, n.wa_message_id, n.direction, n.sender_jid, n.sender_name, n.type, n.body, n.content,
			n.quoted_message_id, n.mentions, n.media, n.status, n.error, n.edited, n.revoked,
			n.forwarded, n.reactions, n.sent_at, n.created_at,
			COALESCE(octet_length(n.body), 0) + COALESCE(octet_length(n.content::text), 0)
				+ COALESCE(octet_length(n.media::text), 0) + COALESCE(octet_length(n.reactions::text), 0)
				AS bytes
		FROM wa.message AS n
		WHERE n.session_id = $1::uuid
			AND n.chat_jid = wa.chat_jid($2::text)
			AND n.id < CASE WHEN $3::uuid IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid ELSE $3::uuid END
			AND n.id < CASE WHEN $7::uuid IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid ELSE $7::uuid END
			AND n.id > CASE WHEN $5::uuid IS NULL THEN '00000000-0000-0000-0000-000000000000'::uuid ELSE $5::uuid END
			AND n.sent_at < COALESCE($4::timestamptz, 'infinity'::timestamptz)
			AND n.sent_at > COALESCE($6::timestamptz, '-infinity'::timestamptz)
		ORDER BY n.id DESC
		LIMIT $8::int4
	) AS q
) AS m ON m.bytes_before < 8388608
WHERE p.session_id = $1::uuid
	AND p.jid = wa.chat_jid($2::text)
ORDER BY m.id DESC
