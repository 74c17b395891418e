SELECT wa.connector_action_done($1, $2, $3)
