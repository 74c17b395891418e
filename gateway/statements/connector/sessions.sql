SELECT org_id, session_id, status, phone_number, pairing_phone, pairing_code,
       credentials_at
  FROM wa.connector_sessions($1, $2, $3, $4)
