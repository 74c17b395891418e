-- $1 webhook, $2 status or null, $3 id of the last delivery of the page before or null, $4 rows.
-- No row: no such webhook.  A row whose id is null: a webhook without (more) deliveries.
-- CASE and not COALESCE: under row security a COALESCE is no index condition, because the
-- planner takes it for leaky.
SELECT d.id, d.event_id, d.type AS event, d.session_id, d.status, d.attempts,
	CASE WHEN d.status = 'failed' THEN d.next_attempt_at END AS next_attempt_at,
	d.status_code, d.error, d.created_at, d.updated_at
FROM wa.webhook AS w
LEFT JOIN LATERAL (
	SELECT l.id, l.event_id, l.type, l.session_id, l.status, l.attempts, l.next_attempt_at, l.status_code,
		l.error, l.created_at, l.updated_at
	FROM wa.delivery AS l
	WHERE l.webhook_id = $1::uuid
		AND l.id < CASE WHEN $3::uuid IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid ELSE $3::uuid END
		AND l.status = COALESCE($2::text, l.status)
	ORDER BY l.id DESC
	LIMIT $4::int4
) AS d ON true
WHERE w.id = $1::uuid
ORDER BY d.id DESC
