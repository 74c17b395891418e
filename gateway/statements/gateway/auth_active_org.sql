-- $1 cookie, $2 organization
SELECT m.user_id, m.email, m.name, m.active_org AS active_organization_id, m.organizations, m.expires_at
FROM wa.set_active_org($1::wa.secret, $2::uuid) AS m
