-- $1 file, $2 owner, $3 attempt, $4 SHA-256, $5 bytes, $6 media type
SELECT wa.connector_media_stored($1, $2, $3, $4, $5, $6)
