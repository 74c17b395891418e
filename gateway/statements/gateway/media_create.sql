-- $1 SHA-256, $2 bytes, $3 media type, $4 file name or null, $5 when the upload was begun, as
-- media_begin has said
SELECT m.id, m.mimetype, m.size, encode(m.sha256, 'hex') AS sha256, m.filename
FROM wa.create_media($1::bytea, $2::int8, $3::text, $4::text, to_timestamp($5::int8 / 1000.0)) AS m
