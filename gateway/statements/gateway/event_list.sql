-- $1 id of the last event that was seen or null, $2 types, comma-separated, or null, $3 session
-- or null, $4 id of the last event of the page before or null, $5 rows
SELECT e.id, e.envelope
FROM wa.read_events(CASE WHEN $4::uuid IS NULL THEN $1::uuid ELSE $4::uuid END,
	pg_catalog.string_to_array($2::text, ','), $3::uuid, $5::int4) AS e
