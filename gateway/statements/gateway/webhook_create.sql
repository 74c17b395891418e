-- $1 url, $2 events, $3 session, $4 custom headers, $5 retry policy, $6 active, $7 secret;
-- null = the default
SELECT w.id, w.org_id AS organization_id, w.session_id, w.url, w.events, w.custom_headers,
	jsonb_build_object('policy', w.retry_policy, 'delaySeconds', w.retry_delay_seconds,
		'attempts', w.retry_attempts) AS retry_policy,
	w.active, w.disabled_at, w.disabled_reason, w.created_at, w.updated_at, w.secret
FROM wa.create_webhook($1::text, $2::text[], $3::uuid, $4::jsonb, $5::jsonb, $6::bool, $7::text) AS w
