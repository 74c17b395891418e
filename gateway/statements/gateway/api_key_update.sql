-- $1 key, $2 name, $3 permissions, $4 when it expires; null = as it is, infinite = never
SELECT k.id, k.name, k.prefix, k.permissions, k.created_at, k.created_by, k.created_by_name, k.expires_at,
	k.last_used_at, k.rotated_to, k.revoked_at
FROM wa.update_api_key($1::uuid, $2::text, $3::text[], $4::timestamptz) AS m (id)
CROSS JOIN LATERAL wa.show_api_key(m.id) AS k
