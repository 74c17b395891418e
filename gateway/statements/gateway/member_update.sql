-- $1 person, $2 role
SELECT m.user_id, m.email, m.name, m.role, m.created_at, m.disabled
FROM wa.set_member_role($1::uuid, $2::text) AS changed
CROSS JOIN LATERAL wa.show_member($1::uuid) AS m
