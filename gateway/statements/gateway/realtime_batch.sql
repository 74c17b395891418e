-- $1 epoch, $2 ordinal, $3 id: behind which place; $4 types or null, $5 session or null.
-- The first row has no envelope: it is the place below which all can be read, never one before the
-- reader's own, whether there is more beyond it, and when the credential ends.  Then the events
-- behind $3, in order; more is true of the last one if the page is full with it, and that one has no
-- envelope if it is not wanted.
-- If more is true of none, all has been read up to the first row's place.
-- The page is one of the log that the credential sees, not of what is wanted of it, so that a
-- filter never makes it longer to read; and its bounds are no parameters, so that the plan for all
-- parameters knows them.
WITH below AS MATERIALIZED (
	SELECT l.epoch, l.ordinal, l.pending
	FROM wa.event_limit($1::int4, $2::int8, $3::uuid) AS l
)
SELECT CASE WHEN (l.epoch, l.ordinal) = ($1::int4, $2::int8) THEN $3::uuid
		ELSE '00000000-0000-0000-0000-000000000000'::uuid END AS id, NULL AS envelope, l.epoch, l.ordinal, l.pending AS more,
	wa.current_expiry() AS ends
FROM below AS l
UNION ALL
SELECT p.id, p.envelope, p.epoch, p.ordinal, p.number = 200 OR p.bytes >= 1048576, NULL
FROM (
	SELECT n.id, n.envelope, n.epoch, n.ordinal, row_number() OVER page AS number,
		COALESCE(sum(octet_length(n.envelope)) OVER page, 0) AS bytes
	FROM (
		SELECT e.id, e.epoch, e.ordinal,
			CASE WHEN ($4::text[] IS NULL OR '*' = ANY ($4::text[]) OR e.type = ANY ($4::text[]))
				AND ($5::uuid IS NULL OR e.session_id = $5::uuid) THEN e.envelope END AS envelope
		FROM wa.event AS e
		WHERE (e.epoch, e.ordinal, e.id) > ($1::int4, $2::int8, $3::uuid)
			AND (e.epoch, e.ordinal) < ((SELECT l.epoch FROM below AS l), (SELECT l.ordinal FROM below AS l))
		ORDER BY e.epoch, e.ordinal, e.id
		LIMIT 200
	) AS n
	WINDOW page AS (ORDER BY n.epoch, n.ordinal, n.id ROWS UNBOUNDED PRECEDING)
) AS p
WHERE p.bytes - COALESCE(octet_length(p.envelope), 0) < 1048576
	AND (p.envelope IS NOT NULL OR p.number = 200)
