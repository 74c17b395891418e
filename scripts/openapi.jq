# Makes the rows of gateway/api/endpoint.h from gateway/api/openapi.json.  An operation with
# "x-gateway" is a row; the others answer by themselves.  Prints the table in C, and the
# rows as JSON, which `wa-gateway --endpoints` shows.
#
# "x-gateway" of an operation:
#	statement     a file of gateway/statements/gateway.  It returns a column for each member of
#	              the answer; its name is the member's name in snake case
#	arguments     the sources of its parameters, if they differ from the order of the document
#	              (path, query and header, then the body): names; "*" for all members of the
#	              body that no other parameter takes; "@body" for the body as it was sent;
#	              "@credentials" for a body that is credentials of a connector, which are sealed;
#	              "@cookie", "@device", "@client", "@agent"; of a body that is a file and is
#	              stored: "@digest", "@size", "@type", "@filename";
#	              {"fixed": text}.  Cursor and limit are added at the end
#	lane          "slow" for a statement that reads many rows, "costly" for one that checks a
#	              password
#	slow          parameters with which it runs in the slow lane, because its statement may then
#	              read many rows to find few
#	cursor        the columns of a page's cursor, and their types
#	within        true: a list inside a parent.  If there is no row, the parent does not exist;
#	              if the first member of a row is null, the list is empty
#	item          the column that contains an item of the list, or the whole answer, as JSON
#	attachment    the member of the body that may have a file in it, which then goes to the store
#	flag          {column: status}: the status of success when that column is true
#	cookies       {column: cookie} for "signIn" and "device"; clearsCookie
#	conflict, unauthorized    the texts of a 409 and of a 401
#
# "x-gateway" of a schema: the bounds that the gateway itself checks, if they differ from
# the document because the database checks the rest: length [minimum, maximum], items, type.

. as $document
| def resolve:
	if has("$ref") then
		. as $reference
		| ($document | getpath($reference."$ref" | ltrimstr("#/") | split("/"))) + ($reference | del(."$ref"))
		| resolve
	else . end;

# The type of a value for the gateway.
def kind:
	if any(.anyOf[]?; .type == "null") then
		(first(.anyOf[] | select(.type != "null")) | kind) + {clearable: true}
	elif .anyOf and ."$ref" == null then
		(.anyOf[0] | kind) + {type: "idOrTime"}
	elif ."$ref" == "#/components/schemas/Time" then {type: "time"}
	else
		resolve
		| (."x-gateway" // {}) as $checked
		| (.items // {} | resolve) as $item
		| if $checked.type then {type: $checked.type}
		  elif (.pattern // "") | test("^\\^[a-z]+_\\[0-7\\]") then
			{type: "id", prefix: (.pattern | ltrimstr("^") | split("_")[0])}
		  elif .type == "boolean" or (.const | type) == "boolean" then {type: "boolean"}
		  elif .type == "integer" then {type: "integer", min: .minimum, max: .maximum}
		  elif .type == "array" and $item.type != "object" then
			{type: "textArray", min: ($checked.length[0]? // $item.minLength), max: ($checked.length[1]? // $item.maxLength),
			 maxItems: ($checked.items // .maxItems)}
		  elif .oneOf or .anyOf or .type == "object" or .type == "array" then {type: "json"}
		  elif .enum and $checked.length == null then {type: "text", choices: .enum}
		  else {type: "text", min: ($checked.length[0]? // .minLength), max: ($checked.length[1]? // .maxLength)} end
	end;

def snake_case: gsub("(?<letter>[A-Z])"; "_" + (.letter | ascii_downcase));

def is_page: .in == "query" and (.name == "cursor" or .name == "limit");

# If the body is one of several schemas the first is used: only the members that all share
# are looked at.
def body_schema:
	.requestBody.content."application/json".schema // {} | resolve | if .oneOf then .oneOf[0] | resolve else . end;

# The parameters that a caller sends.  If the rest of the body goes to the database
# unchanged, only the listed members of the body.
def parameters:
	(."x-gateway".arguments // []) as $listed
	| [(.parameters // [])[] | resolve
		| {name, in} + (if .name == "cursor" then {type: "cursor"} else (.schema | kind) end) + {required: (.required // false)}
			+ (if .name == "limit" then {default: (.schema | resolve | .default)} else {} end)]
	+ (body_schema | (.required // []) as $required
		| [(.properties // {}) | to_entries[]
			| select(.key as $name | $listed | index("*") == null and index("@credentials") == null or index($name) != null)
			| {name: .key, in: "body"} + (.value | kind) + {required: (.key | IN($required[]))}])
	| map({clearable: false} + with_entries(select(.value != null)) + (if .in == "path" then {min: null, max: null} else {} end)
		| with_entries(select(.value != null)));

def columns:
	(.properties // {}) | to_entries | map({name: .key, column: (.key | snake_case)} + (.value | kind | {type, prefix})
		| with_entries(select(.value != null)));

# An answer that is a file has the content type "*/*".
def is_file($status): .responses[$status] | resolve | .content // {} | has("*/*");

def success($status): .responses[$status] | resolve | .content // {} | ."application/json".schema // ."application/x-ndjson".schema // {} | resolve;

# One object on each line.
def is_lines($status): .responses[$status] | resolve | .content."application/x-ndjson" != null;

# A misspelt word is refused: the row would silently lack what it says.
def known:
	(keys - ["statement", "arguments", "lane", "slow", "cursor", "within", "item", "attachment", "flag", "cookies", "clearsCookie",
		"conflict", "unauthorized"]) as $unknown
	| if $unknown == [] then . else error("\(.statement): unknown: \($unknown | join(", "))") end;

def row($pattern):
	(."x-gateway" | known) as $own
	| parameters as $parameters
	| (first(.responses | keys_unsorted[] | select(startswith("2") and (tonumber | IN(($own.flag // {})[]) | not)))
		// error("\($own.statement): no status of success")) as $status
	| success($status) as $answer
	| is_file($status) as $file
	| is_lines($status) as $lines
	| ($own.arguments // [$parameters[] | select(is_page | not) | .name]) as $arguments
	| ([$parameters[] | select(is_page | not) | .name] - $arguments) as $lost
	| (if $lost != [] then error("\($own.statement): goes nowhere: \($lost | join(", "))") else . end)
	| (if .security == [] then "ownPages" elif any(.security[]?; has("cookie")) then "cookie" else "credential" end) as $door
	| {
		open: false, needs: ."x-required-permission", door: $door, people: (."x-people-only" // false),
		mayRefuse: ($door != "ownPages" or $own.unauthorized != null),
		statement: $own.statement, lane: ($own.lane // "fast"),
		parameters: $parameters,
		arguments: ((if $door == "cookie" then ["@cookie"] else [] end) + $arguments
			+ (if any($parameters[]; is_page) then ["cursor", "limit"] else [] end)),
		bodyRest: ($arguments | index("*") != null), bodyCredentials: ($arguments | index("@credentials") != null), bodyRaw: ($arguments | index("@body") != null), bodyFile: ($arguments | index("@digest") != null),
		status: ($status | tonumber)
	}
	+ (if ."x-body-max-bytes" then {bodyMax: ."x-body-max-bytes"} else {} end)
	+ (if $own.flag then $own.flag | to_entries[0] | {flagStatus: .value, flag: .key} else {} end)
	+ {
		answer: (if $file then "file" elif $answer == {} then "none" elif $lines then "lines" elif $answer.type == "array" then "json" elif $answer.properties.data then "list" else "one" end),
		columns: (if $answer.properties.data then $answer.properties.data.items | resolve | columns else $answer | columns end)
	}
	+ ($own | {cursor, within, item, slow, attachment, cookies, clearsCookie, conflict, unauthorized} | with_entries(select(.value != null)));

def rows:
	[.paths | to_entries[] | .key as $path | .value as $item
		| (($item.servers // $document.servers)[0].url | rtrimstr("/") + $path) as $pattern
		| $item | to_entries[] | select(.key | IN("get", "post", "put", "patch", "delete"))
		| {method: (.key | ascii_upcase), pattern: $pattern}
			+ (.value | if ."x-gateway" then row($pattern)
				else {open: true} + ({needs: ."x-required-permission"} | with_entries(select(.value != null))) end)];

# ---- as C ----

def c: tojson;
def field($name; $value): if $value == null or $value == false then "" else ", .\($name) = \($value)" end;
def constant: {boolean: "BOOL", integer: "INT"}[.] // (gsub("(?<letter>[A-Z])"; "_" + .letter) | ascii_upcase);
def text: if . == null then null else c end;

def sources: {"*": "BODY_REST", "@cookie": "COOKIE", "@device": "DEVICE", "@client": "CLIENT", "@agent": "AGENT", "@body": "BODY_RAW", "@credentials": "BODY_CREDENTIALS",
	"@digest": "UPLOAD_DIGEST", "@size": "UPLOAD_SIZE", "@type": "UPLOAD_TYPE", "@filename": "UPLOAD_NAME", "@begun": "UPLOAD_BEGUN", "cursor": "CURSOR", "limit": "LIMIT"};

def param_c($row):
	if type == "object" then "{.source = PARAM_FIXED, .fixed = \(.fixed | c)}"
	elif sources[.] then "{.source = PARAM_\(sources[.])}"
	else
		. as $name
		| (first($row.parameters[] | select(.name == $name)) // error("\($row.statement): no parameter \($name)"))
		| if .type == "text" and .in != "path" and .choices == null and .max == null or .type == "textArray" and .maxItems == null
			then error("\($row.statement): \($name) has no greatest length") else . end
		| "{.source = PARAM_\(.in | constant), .type = PARAM_\(.type | constant), .name = \(.name | c)"
			+ field("required"; .required and .in != "path") + field("clearable"; .clearable)
			+ field("prefix"; .prefix | text) + field("min"; .min) + field("max"; .max) + field("max_items"; .maxItems)
			+ field("choices"; if .choices then "(const char *const[]){\(.choices | map(c) | join(", ")), NULL}" else null end)
			+ field("slow"; .name | IN(($row.slow // [])[])) + "}"
	end;

def column_c: "{COLUMN_\(.type | constant), \(.name | c), \(.column | c), \(.prefix | text // "NULL")}";
def cookie_c: "{COLUMN_\({signIn: "COOKIE", device: "DEVICE"}[.value]), \(.key | c), \(.key | c), NULL}";

def list_c($type; $last): map("\n\t\t\t\(.),") | "(const \($type)[]){\(add // "")\n\t\t\t\($last)}";

def answer_c: if .answer == "none" then "NONE" elif .answer == "file" then "FILE" elif .answer == "json" then "JSON" elif .answer == "one" then "ONE" elif .answer == "lines" then "LINES" elif .item then "LIST_JSON"
	elif .within then "LIST_IN" else "LIST" end;

def row_c:
	. as $row
	| "\t{.method = HTTP_METHOD_\(.method), .pattern = \(.pattern | c), .door = DOOR_\(.door | constant)"
	+ field("needs"; .needs | text) + field("people"; .people) + ",\n\t\t.statement = \(.statement | c), .lane = DB_LANE_\(.lane | constant)"
	+ field("body_max"; .bodyMax) + field("attachment"; .attachment | text) + ", .status = \(.status)"
	+ field("flag_status"; .flagStatus) + field("flag"; .flag | text) + ", .answer = ANSWER_\(answer_c)" + field("item"; .item | text)
	+ field("clears_cookie"; .clearsCookie)
	+ ",\n\t\t.params = \(.arguments | map(param_c($row)) | list_c("Param"; "{.source = PARAM_END}"))"
	+ (if .item or .answer == "none" or .answer == "file" then "" else ",\n\t\t.columns = \((.cookies // {} | to_entries | map(cookie_c)) + (.columns | map(column_c)) | list_c("Column"; "{COLUMN_END, NULL, NULL, NULL}"))" end)
	+ (if .cursor then ",\n\t\t.cursor = {\(.cursor | to_entries | map("{CURSOR_\(.value | constant), \(.key | c)}") | join(", "))}" else "" end)
	+ (if .conflict then ",\n\t\t.conflict = \(.conflict | c)" else "" end)
	+ (if .unauthorized then ",\n\t\t.unauthorized = \(.unauthorized | c)" else "" end)
	+ "},";

rows
| "const Endpoint document_endpoints[] = {",
	(.[] | select(.open | not) | row_c),
	"\t{.pattern = NULL},\n};\n",
	(first(.[].parameters[]? | select(.name == "limit"))
		| "_Static_assert(LIST_LIMIT_DEFAULT == \(.default) && LIST_LIMIT_MAX == \(.max), \"limit of a list\");\n"),
	"const char document_endpoints_json[] = \(tojson | c);"
