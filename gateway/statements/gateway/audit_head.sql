SELECT h.organization_id, h.sequence, h.hash, h.at
FROM wa.show_audit_head() AS h
