-- $1 key, $2 reason or null
SELECT wa.revoke_api_key($1::uuid, $2::text)
