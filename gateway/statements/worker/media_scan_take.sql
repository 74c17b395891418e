-- $1 owner, $2 milliseconds of the lease
SELECT t.behind
FROM wa.take_media_scan($1::text, $2::int4 * interval '1 millisecond') AS t
