SELECT c.phone_number_id, c.waba_id, c.app_id, c.updated_at
FROM wa.session_credentials($1::uuid) AS c
