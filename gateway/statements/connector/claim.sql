SELECT org_id, message_id, session_id, chat_jid, type, body, maybe_sent, attempt, media_sha256, media ->> 'mimetype', media_size
  FROM wa.connector_claim($1, $2, $3, $4)
