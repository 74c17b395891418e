-- $1 connector, $2 owner, $3 sessions
SELECT org_id, session_id, key_id, sealed, updated_at, phone_number_id
  FROM wa.connector_credentials($1, $2, $3)
