-- Runs before the bytes of a file are taken: whose they will be, and the time in milliseconds since
-- 1970.  $1 media type, $2 file name, $3 bytes; each may be null
SELECT wa.begin_media($1::text, $2::text, $3::int8) AS org_id, floor(extract(epoch FROM now()) * 1000)::int8 AS begun_ms
