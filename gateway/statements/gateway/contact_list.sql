-- $1 session, $2 what names or phone number contain or null, $3 jid of the last contact of
-- the page before or null, $4 rows.  No row: no such session.  A row whose jid is null: a
-- session without (more) contacts.
-- CASE and not COALESCE: under row security a COALESCE is no index condition, because the
-- planner takes it for leaky.  strpos and not LIKE: nothing in what is looked for is a pattern.
-- Names are compared without accents and case.  A number may be written with blanks and
-- punctuation, and with a + in front, which a query makes a blank of.
SELECT c.jid, c.phone_number, c.name, c.business_name, c.first_seen_at, c.last_seen_at, c.username, c.user_id
FROM wa.session AS s
LEFT JOIN LATERAL (
	SELECT p.jid, p.phone_number, p.name, p.business_name, p.first_seen_at, p.last_seen_at, p.username, p.user_id
	FROM wa.contact AS p
	WHERE p.session_id = $1::uuid
		AND p.jid > CASE WHEN $3::text IS NULL THEN '' ELSE $3::text END
		AND ($2::text IS NULL
			OR strpos(
				lower(translate(regexp_replace(normalize(concat_ws(' ', p.name, p.business_name), NFKD),
					'[\u0300-\u036f]', '', 'g'), 'øØłŁđĐħĦı', 'oOlLdDhHi')),
				lower(translate(regexp_replace(normalize($2::text, NFKD),
					'[\u0300-\u036f]', '', 'g'), 'øØłŁđĐħĦı', 'oOlLdDhHi'))) > 0
			OR strpos('+' || p.phone_number,
				CASE WHEN $2::text ~* '^[\s+()./-]*[0-9][0-9\s()./-]*(@(c\.us|s\.whatsapp\.net))?$'
					THEN substring($2::text FROM '^\s*([+]?)')
						|| regexp_replace(split_part($2::text, '@', 1), '[^0-9]', '', 'g') END) > 0)
	ORDER BY p.jid
	LIMIT $4::int4
) AS c ON true
WHERE s.id = $1::uuid
ORDER BY c.jid
