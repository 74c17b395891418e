-- $1 connector, $2 owner, $3 messages at most, $4 lease
SELECT org_id, message_id, session_id, chat_jid, type, body, maybe_sent, attempt,
       media_sha256, media ->> 'mimetype' AS mimetype, media_size, media ->> 'filename' AS filename, media ->> 'id' AS media_id,
       content, mentions, quoted_wa_message_id, quoted_sender_jid, quoted_from_me, typing_wa_message_id
  FROM wa.connector_claim($1, $2, $3, $4)
