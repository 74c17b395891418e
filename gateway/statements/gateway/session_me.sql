SELECT s.id AS session_id, s.phone_number, s.wa_jid
FROM wa.session AS s
WHERE s.id = $1::uuid
