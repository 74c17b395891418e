-- $1 name, $2 permissions, $3 when it expires; null = as the policy says, infinite = never,
-- $4 the only sessions that it reaches; null = all, $5 addresses, $6 rate,
-- $7 whether it is a test key; null = it is not
SELECT k.id, k.name, k.prefix, k.permissions, k.status, k.created_at, k.created_by, k.created_by_name, k.expires_at,
	k.last_used_at, k.rotated_to, k.disabled_at, k.revoked_at, k.revoked_reason,
	wa.session_ids(k.sessions) AS sessions,
	k.addresses, wa.rate_limit(k.per_minute, k.burst) AS rate_limit, k.test,
	m.secret AS key
FROM wa.read_rate_limit($6::jsonb) AS r
CROSS JOIN LATERAL wa.create_api_key($1::text, $2::text[], $3::timestamptz,
	wa.from_session_ids($4::text[]), $5::text[], r.per_minute, r.burst, $7::bool) AS m
CROSS JOIN LATERAL wa.show_api_key(m.id) AS k
