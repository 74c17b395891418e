-- $1 connector, $2 owner, $3 actions at most, $4 lease
SELECT org_id, action_id, session_id, type, payload ->> 'to' AS "to", payload ->> 'copy' AS copy, maybe_sent, attempt,
       chat_jid, wa_message_id, sender_jid, from_me, payload ->> 'emoji' AS emoji, payload ->> 'text' AS text,
       message_type, body, content,
       media_sha256, media ->> 'mimetype' AS mimetype, media_size, media ->> 'filename' AS filename, media ->> 'id' AS media_id
  FROM wa.connector_actions($1, $2, $3, $4)
