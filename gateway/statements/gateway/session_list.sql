-- $1 status or null, $2 id of the last session of the page before or null, $3 rows
-- CASE and not COALESCE: under row security a COALESCE is no index condition, because the
-- planner takes it for leaky.
SELECT s.id, s.org_id AS organization_id, s.label, s.status, s.status_reason, s.connector, s.phone_number, s.wa_jid, s.auto_read,
	s.presence_typing, s.rate_per_min, s.rate_per_hour, s.created_at, s.updated_at,
	s.last_connected_at
FROM wa.session AS s
WHERE s.id < CASE WHEN $2::uuid IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid ELSE $2::uuid END
	AND s.status = COALESCE($1::text, s.status)
ORDER BY s.id DESC
LIMIT $3::int4
