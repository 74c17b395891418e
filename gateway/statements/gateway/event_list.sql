-- $1 id of the last event that was seen or null, $2 types, comma-separated, or null, $3 session
-- or null, $4 how many of the newest events or null, $5 id of the last event of the page before
-- or null, $6 rows
SELECT e.id, e.envelope
FROM wa.read_events(CASE WHEN $5::uuid IS NULL THEN $1::uuid ELSE $5::uuid END,
	pg_catalog.string_to_array($2::text, ','), $3::uuid, $6::int4, CASE WHEN $5::uuid IS NULL THEN $4::int4 END) AS e
