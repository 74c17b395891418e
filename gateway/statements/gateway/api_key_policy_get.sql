SELECT p.default_days, p.max_days FROM wa.show_key_policy() AS p
