-- $1 id of the last webhook of the page before or null, $2 rows
-- CASE and not COALESCE: under row security a COALESCE is no index condition, because the
-- planner takes it for leaky.
SELECT w.id, w.org_id AS organization_id, w.session_id, w.url, w.events, w.custom_headers,
	jsonb_build_object('policy', w.retry_policy, 'delaySeconds', w.retry_delay_seconds,
		'attempts', w.retry_attempts) AS retry_policy,
	w.active, w.disabled_at, w.disabled_reason, w.created_at, w.updated_at
FROM wa.webhook AS w
WHERE w.id < CASE WHEN $1::uuid IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid ELSE $1::uuid END
ORDER BY w.id DESC
LIMIT $2::int4
