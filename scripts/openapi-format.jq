# Formats gateway/api/openapi.json.  A value of at most 110 characters is on one line
# (headers: 200).  So is each property and each parameter, "x-gateway", and each list of
# plain values, whatever its length.

def line:
	if type == "object" and . != {} then
		"{ " + (to_entries | map("\(.key | tojson): \(.value | line)") | join(", ")) + " }"
	elif type == "array" then "[" + (map(line) | join(", ")) + "]"
	else tojson end;

def is_flat: [.. | objects | select(has("properties"))] == [];
def is_plain: type != "object" and (type != "array" or all(.[]; type != "object" and type != "array"));

# $key: the name of this member, or of the list that contains this element.  $is_one:
# whether it is one of the values that have a line each.
def page($indent; $key; $is_one):
	line as $line
	| ($indent + "\t") as $deeper
	| ($key | IN("properties", "parameters")) as $are_ones
	| if is_plain or ($line | length) <= (if $key == "headers" then 200 else 110 end)
		or ($is_one and is_flat) or $key == "x-gateway" then $line
	  elif type == "object" then
		"{\n" + (to_entries | map("\($deeper)\(.key | tojson): " + (.key as $member | .value
			| page($deeper; $member; $are_ones))) | join(",\n")) + "\n\($indent)}"
	  else
		"[\n" + (map($deeper + page($deeper; $key; $are_ones)) | join(",\n")) + "\n\($indent)]"
	  end;

page(""; ""; false)
