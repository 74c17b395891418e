-- $1 webhook, $2 delivery.  The body is null if it is not kept any more, or if the key may not
-- listen to events.
SELECT d.id, d.event_id, d.type AS event, d.session_id, d.status, d.attempts,
	CASE WHEN d.status = 'failed' THEN d.next_attempt_at END AS next_attempt_at,
	d.status_code, d.error, d.created_at, d.updated_at, COALESCE(d.earlier, '[]') AS history, d.envelope AS body
FROM wa.read_delivery($1::uuid, $2::uuid) AS d
