SELECT wa.delete_session($1::uuid)
