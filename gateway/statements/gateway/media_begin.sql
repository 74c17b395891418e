-- Runs before the bytes of a file are taken: whose they will be.  $1 media type, $2 file name; both
-- may be null
SELECT wa.begin_media($1::text, $2::text) AS org_id
