SELECT wa.connector_action_failed($1, $2, $3)
