-- $1 email, $2 password, $3 the client's address, $4 what the browser calls itself or null
SELECT s.cookie, m.user_id, m.email, m.name, m.active_org, m.organizations, m.expires_at
FROM wa.sign_in($1::text, $2::wa.password, $3::text, $4::text) AS s
CROSS JOIN LATERAL wa.signed_in(s.cookie::wa.secret) AS m
