-- $1 owner, $2 an array of objects with organization and sha256 (digits), $3 behind which name the
-- scan goes on, $4 whether it has come to its end, $5 milliseconds of the lease
SELECT s.unknown, s.strange
FROM wa.media_scanned($1::text, $2::jsonb, $3::text, $4::boolean, $5::int4 * interval '1 millisecond') AS s
