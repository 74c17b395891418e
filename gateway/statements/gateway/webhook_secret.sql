-- $1 webhook, $2 the new secret, null = a random one, $3 seconds in which the old one is
-- used as well, null = a day.  The row is seen as it was before this
-- statement, in which only its secret and its time of change are new.
SELECT w.id, w.org_id AS organization_id, w.session_id, w.url, w.events, w.custom_headers,
	jsonb_build_object('policy', w.retry_policy, 'delaySeconds', w.retry_delay_seconds,
		'attempts', w.retry_attempts) AS retry_policy,
	w.active, w.disabled_at, w.disabled_reason, w.created_at, now() AS updated_at, r.secret
FROM wa.rotate_webhook_secret($1::uuid, $2::text, $3::int4) AS r (secret)
CROSS JOIN wa.webhook AS w
WHERE w.id = $1::uuid
