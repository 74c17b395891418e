SELECT org_id, message_id, session_id, chat_jid, type, body, maybe_sent, attempt
  FROM wa.connector_claim($1, $2, $3, $4)
