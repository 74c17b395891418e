-- $1 key, $2 seconds for which the old key goes on, null = a day, $3 when the new one expires;
-- null = when the old one would have, infinite = never
SELECT k.id, k.name, k.prefix, k.permissions, k.status, k.created_at, k.created_by, k.created_by_name, k.expires_at,
	k.last_used_at, k.rotated_to, k.disabled_at, k.revoked_at, k.revoked_reason,
	wa.session_ids(k.sessions) AS sessions,
	k.addresses, wa.rate_limit(k.per_minute, k.burst) AS rate_limit, k.test,
	m.secret AS key, m.old_ends_at AS previous_expires_at
FROM wa.rotate_api_key($1::uuid, $2::int4, $3::timestamptz) AS m
CROSS JOIN LATERAL wa.show_api_key(m.id) AS k
