-- $1 name, $2 permissions, $3 when it expires; null = as the policy says, infinite = never,
-- $4 the only sessions that it reaches; null = all
SELECT k.id, k.name, k.prefix, k.permissions, k.created_at, k.created_by, k.created_by_name, k.expires_at,
	k.last_used_at, k.rotated_to, k.disabled_at, k.revoked_at, k.revoked_reason,
	wa.session_ids(k.sessions) AS sessions,
	m.secret AS key
FROM wa.create_api_key($1::text, $2::text[], $3::timestamptz,
	wa.from_session_ids($4::text[])) AS m
CROSS JOIN LATERAL wa.show_api_key(m.id) AS k
