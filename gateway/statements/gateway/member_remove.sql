SELECT wa.remove_member($1::uuid)
