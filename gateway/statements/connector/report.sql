SELECT changed, message_id, error_code, error FROM wa.connector_report($1)
