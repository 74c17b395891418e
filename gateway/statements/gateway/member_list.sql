-- $1 what names or email addresses contain or null, $2 id of the last person of the page before or
-- null, $3 rows.  A row without a person: the place where the next page begins.
SELECT m.user_id, m.email, m.name, m.role, m.created_at, m.disabled, m.place
FROM (
	SELECT l.*, l.user_id AS place
	FROM wa.list_members($2::uuid, $3::int4) AS l
	WHERE $1::text IS NULL
	UNION ALL
	SELECT s.*, f.place
	FROM wa.search_members($1::text, $2::uuid, $3::int4) AS f
	LEFT JOIN LATERAL (SELECT * FROM wa.show_member(f.user_id) AS m LIMIT 1) AS s ON true
	WHERE $1::text IS NOT NULL
) AS m
ORDER BY m.place, m.user_id
