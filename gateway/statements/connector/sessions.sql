-- $1 connector, $2 owner, $3 sessions at most, $4 lease
SELECT org_id, session_id, status, phone_number, pairing_phone, pairing_code,
       credentials_at, label, auto_read, presence_typing
  FROM wa.connector_sessions($1, $2, $3, $4)
