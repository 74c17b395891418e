-- $1 key, $2 name, $3 permissions, $4 when it expires, $5 whether it works, $6 the only sessions
-- that it reaches; null = as it is, infinite = never, an empty text among the sessions = all,
-- $7 addresses, one empty text = all; $8 rate, a json null = none
SELECT k.id, k.name, k.prefix, k.permissions, k.status, k.created_at, k.created_by, k.created_by_name, k.expires_at,
	k.last_used_at, k.rotated_to, k.disabled_at, k.revoked_at, k.revoked_reason,
	wa.session_ids(k.sessions) AS sessions,
	k.addresses, wa.rate_limit(k.per_minute, k.burst) AS rate_limit, k.test
FROM wa.read_rate_limit($8::jsonb) AS r
CROSS JOIN LATERAL wa.update_api_key($1::uuid, $2::text, $3::text[], $4::timestamptz, $5::bool,
	wa.from_session_ids($6::text[]), $7::text[], r.per_minute, r.burst) AS m (id)
CROSS JOIN LATERAL wa.show_api_key(m.id) AS k
