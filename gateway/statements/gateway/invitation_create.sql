-- $1 email, $2 role
SELECT i.id, i.email, i.role, i.created_at, i.created_by, i.created_by_name, i.expires_at, m.secret AS invitation
FROM wa.invite_member($1::text, $2::text) AS m
CROSS JOIN LATERAL wa.show_invitation(m.id) AS i
