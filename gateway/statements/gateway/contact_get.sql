SELECT c.jid, c.phone_number, c.name, c.business_name, c.first_seen_at, c.last_seen_at, c.username, c.user_id
FROM wa.contact AS c
WHERE c.session_id = $1::uuid
	AND c.jid = wa.chat_jid($2::text)
