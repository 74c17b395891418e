SELECT wa.act_for($1)
