-- Runs before the bytes of a file are taken: whose they will be.  $1 media type, $2 file name, $3
-- bytes; each may be null
SELECT wa.begin_media($1::text, $2::text, $3::int8) AS org_id
