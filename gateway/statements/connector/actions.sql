SELECT org_id, action_id, session_id, type, payload ->> 'to', payload ->> 'copy', maybe_sent, attempt
  FROM wa.connector_actions($1, $2, $3, $4)
