-- $1 an array of objects with organization, sha256 (digits) and removal
SELECT wa.bytes_removed($1::jsonb)
