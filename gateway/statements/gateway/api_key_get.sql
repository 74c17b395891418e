-- $1 key
SELECT k.id, k.name, k.prefix, k.permissions, k.status, k.created_at, k.created_by, k.created_by_name, k.expires_at,
	k.last_used_at, k.rotated_to, k.disabled_at, k.revoked_at, k.revoked_reason,
	wa.session_ids(k.sessions) AS sessions,
	k.addresses, wa.rate_limit(k.per_minute, k.burst) AS rate_limit, k.test
FROM wa.show_api_key($1::uuid) AS k
