SELECT w.id, w.org_id AS organization_id, w.session_id, w.url, w.events, w.custom_headers,
	jsonb_build_object('policy', w.retry_policy, 'delaySeconds', w.retry_delay_seconds,
		'attempts', w.retry_attempts) AS retry_policy,
	w.active, w.disabled_at, w.disabled_reason, w.created_at, w.updated_at
FROM wa.webhook AS w
WHERE w.id = $1::uuid
