-- $1 session, $2 phone number
SELECT wa.request_pairing_code($1::uuid, $2::text) AS code
