-- $1 webhook, $2 url, $3 events, $4 session, $5 custom headers, $6 retry policy, $7 active;
-- null = as it is
SELECT w.id, w.org_id AS organization_id, w.session_id, w.url, w.events, w.custom_headers,
	jsonb_build_object('policy', w.retry_policy, 'delaySeconds', w.retry_delay_seconds,
		'attempts', w.retry_attempts) AS retry_policy,
	w.active, w.disabled_at, w.disabled_reason, w.created_at, w.updated_at
FROM wa.update_webhook($1::uuid, $2::text, $3::text[], $4::uuid, $5::jsonb, $6::jsonb, $7::bool) AS w
