-- $1 session, $2 what names or phone number contain or null, $3 jid of the last contact of
-- the page before or null, $4 rows.  No row: no such session.  A row whose jid is null: the place
-- where the next page begins, or a session without (more) contacts.
-- CASE and not COALESCE: under row security a COALESCE is no index condition, because the
-- planner takes it for leaky.  LIMIT 1: what was found is looked up row by row, never by a join
-- that reads all contacts.
SELECT c.jid, c.phone_number, c.name, c.business_name, c.first_seen_at, c.last_seen_at, c.username, c.user_id, c.place
FROM wa.session AS s
LEFT JOIN LATERAL (
	(SELECT p.jid, p.phone_number, p.name, p.business_name, p.first_seen_at, p.last_seen_at, p.username, p.user_id,
		p.jid AS place
	FROM wa.contact AS p
	WHERE $2::text IS NULL
		AND p.session_id = $1::uuid
		AND p.jid > CASE WHEN $3::text IS NULL THEN '' ELSE $3::text END
	ORDER BY p.jid
	LIMIT $4::int4)
	UNION ALL
	SELECT p.jid, p.phone_number, p.name, p.business_name, p.first_seen_at, p.last_seen_at, p.username, p.user_id,
		f.place
	FROM wa.search_contacts($1::uuid, $2::text, $3::text, $4::int4) AS f
	LEFT JOIN LATERAL (
		SELECT * FROM wa.contact AS e WHERE e.session_id = $1::uuid AND e.jid = f.jid LIMIT 1
	) AS p ON true
	WHERE $2::text IS NOT NULL
) AS c ON true
WHERE s.id = $1::uuid
ORDER BY c.place, c.jid
