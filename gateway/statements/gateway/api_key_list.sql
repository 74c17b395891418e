-- $1 what names contain, or the beginning or the id of a key, or null, $2 id of the last key of the
-- page before or null, $3 rows.  A row without an id: the place where the next page begins.
SELECT k.id, k.name, k.prefix, k.permissions, k.status, k.created_at, k.created_by, k.created_by_name, k.expires_at,
	k.last_used_at, k.rotated_to, k.disabled_at, k.revoked_at, k.revoked_reason,
	wa.session_ids(k.sessions) AS sessions,
	k.addresses, wa.rate_limit(k.per_minute, k.burst) AS rate_limit, k.test, k.place
FROM (
	SELECT l.*, l.id AS place
	FROM wa.list_api_keys($2::uuid, $3::int4) AS l
	WHERE $1::text IS NULL
	UNION ALL
	SELECT s.*, f.place
	FROM wa.search_api_keys($1::text, $2::uuid, $3::int4) AS f
	LEFT JOIN LATERAL (SELECT * FROM wa.show_api_key(f.id) AS k LIMIT 1) AS s ON true
	WHERE $1::text IS NOT NULL
) AS k
ORDER BY k.place DESC, k.id
