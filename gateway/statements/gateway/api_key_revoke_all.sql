-- $1 whether all keys, $2 or the person whose keys, $3 reason or null
SELECT wa.revoke_api_keys($1::bool, $2::uuid, $3::text) AS revoked
