-- $1 connector, $2 phone number ids or null, $3 app id or null
SELECT org_id, session_id, phone_number_id, waba_id, key_id, sealed, has_number
  FROM wa.connector_receivers($1, $2, $3)
