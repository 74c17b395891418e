-- $1 session, $2 message.  A message may give its file another name.  The file is found by the
-- message, never the other way round, whatever the statistics say.
SELECT f.org_id, f.state, f.sha256, f.size, f.mimetype, COALESCE(m.media ->> 'filename', f.filename) AS filename
FROM wa.message AS m
JOIN LATERAL (
	SELECT * FROM wa.media AS of_message WHERE of_message.org_id = m.org_id AND of_message.id = m.media_id OFFSET 0) AS f ON true
WHERE m.session_id = $1::uuid
	AND m.id = $2::uuid
