SELECT m.organization_id, m.key_id, m.user_id, m.name, m.permissions, m.test
FROM wa.me() AS m
