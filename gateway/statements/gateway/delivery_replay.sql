-- $1 webhook, $2 delivery
SELECT d.id, d.event_id, d.type AS event, d.session_id, d.status, d.attempts,
	CASE WHEN d.status = 'failed' THEN d.next_attempt_at END AS next_attempt_at,
	d.status_code, d.error, d.created_at, d.updated_at
FROM wa.replay_delivery($1::uuid, $2::uuid) AS d
