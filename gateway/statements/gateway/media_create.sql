-- $1 SHA-256, $2 bytes, $3 media type, $4 file name or null
SELECT m.id, m.mimetype, m.size, encode(m.sha256, 'hex') AS sha256, m.filename
FROM wa.create_media($1::bytea, $2::int8, $3::text, $4::text) AS m
