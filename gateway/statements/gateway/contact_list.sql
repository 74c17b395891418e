-- $1 session, $2 what names or phone number contain or null, $3 jid of the last contact of
-- the page before or null, $4 rows.  No row: no such session.  A row whose jid is null: a
-- session without (more) contacts.
-- CASE and not COALESCE: under row security a COALESCE is no index condition, because the
-- planner takes it for leaky.  strpos and not LIKE: nothing in what is looked for is a pattern.
SELECT c.jid, c.phone_number, c.name, c.business_name, c.first_seen_at, c.last_seen_at, c.username, c.user_id
FROM wa.session AS s
LEFT JOIN LATERAL (
	SELECT p.jid, p.phone_number, p.name, p.business_name, p.first_seen_at, p.last_seen_at, p.username, p.user_id
	FROM wa.contact AS p
	WHERE p.session_id = $1::uuid
		AND p.jid > CASE WHEN $3::text IS NULL THEN '' ELSE $3::text END
		AND ($2::text IS NULL
			OR strpos(wa.search_form(concat_ws(' ', p.name, p.business_name)), wa.search_form($2::text)) > 0
			OR strpos('+' || p.phone_number, wa.search_number($2::text)) > 0)
	ORDER BY p.jid
	LIMIT $4::int4
) AS c ON true
WHERE s.id = $1::uuid
ORDER BY c.jid
