-- $1 name, $2 permissions, $3 when it expires; null = as the policy says, infinite = never
SELECT k.id, k.name, k.prefix, k.permissions, k.created_at, k.created_by, k.created_by_name, k.expires_at,
	k.last_used_at, k.rotated_to, k.disabled_at, k.revoked_at, k.revoked_reason,
	m.secret AS key
FROM wa.create_api_key($1::text, $2::text[], $3::timestamptz) AS m
CROSS JOIN LATERAL wa.show_api_key(m.id) AS k
