-- $1 session, $2 message.  A message may give its file another name.
SELECT f.org_id, f.state, f.sha256, f.size, f.mimetype, COALESCE(m.media ->> 'filename', f.filename) AS filename
FROM wa.message AS m
JOIN wa.media AS f ON f.org_id = m.org_id AND f.id = m.media_id
WHERE m.session_id = $1::uuid
	AND m.id = $2::uuid
