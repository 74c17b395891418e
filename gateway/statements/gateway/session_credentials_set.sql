-- $1 session, $2 phone number id, $3 business account id, $4 app id, $5 key, $6 sealed credentials
SELECT c.phone_number_id, c.waba_id, c.app_id, c.updated_at
FROM wa.set_session_credentials($1::uuid, $2::text, $3::text, $4::text, $5::uuid, $6::bytea) AS c
