-- $1 email, $2 password, $3 the client's address, $4 what the browser calls itself or null,
-- $5 the cookie that the browser got when somebody signed in before, or null
SELECT s.cookie, s.device_cookie,
	m.user_id, m.email, m.name, m.active_org AS active_organization_id, m.organizations, m.expires_at
FROM wa.sign_in($1::text, $2::wa.password, $3::text, $4::text, $5::wa.secret) AS s
CROSS JOIN LATERAL wa.signed_in(s.cookie::wa.secret) AS m
