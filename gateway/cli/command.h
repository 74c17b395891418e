/*
 * command.h
 *		The commands of wa, as rows of one table.
 *
 * A row says everything about a command: its words, its parameters, what it asks the database,
 * and how the answer is shown.  Reading the command line (invocation.h), the help, the
 * completion and the manual (help.h) follow the table, so a command is added by adding a row.
 *
 * The n-th parameter of a row is $n of its statement.  What was not given is null.  A command that
 * has a request as well works over HTTP, with a user token: then the organization is that of the
 * token, and parameters go into the request by their "send" and "member".
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/answer.h"
#include "lib/buffer.h"
#include "lib/json_read.h"

#define COMMAND_PARAMETERS_MAX 9

typedef enum ParameterKind
{
	PARAMETER_END = 0,
	PARAMETER_WORD,          /* must be given */
	PARAMETER_OPTIONAL_WORD, /* behind all others */
	PARAMETER_SECRET_WORD,   /* a word, or "-": a line of standard input */
	PARAMETER_FILE,          /* a word, the name of a file, or "-": the value is what is in it */
	PARAMETER_OPTION,        /* --name VALUE */
	PARAMETER_FLAG,          /* --name: the value is "true" */
	PARAMETER_PASSWORD,      /* --name: a line that is asked for */
	PARAMETER_CONFIRMATION,  /* --name, which must be given: what is done cannot be undone */
	PARAMETER_CONSTANT       /* not of the command line: the value is "name" */
} ParameterKind;

/* What becomes of a parameter over HTTP: a member of the body, or of the query if there is no body. */
typedef enum SendAs
{
	SEND_NOT = 0, /* it cannot be given: there is nothing that it would choose */
	SEND_PATH, /* in the path in place of {}; a UUID becomes the TypeID whose prefix is "member" */
	SEND_TEXT,
	SEND_INSTEAD, /* a text, in place of the request's constant */
	SEND_LIST,    /* an array of the texts between commas */
	SEND_NUMBER,
	SEND_TIME,    /* milliseconds; "infinity" is null */
	SEND_SECONDS, /* of seconds, minutes, hours or days */
	SEND_FLAG,
	SEND_LIMIT,  /* not sent: so many rows are asked for */
	SEND_FILTER, /* not sent: only rows whose column "member" is this are shown */
	SEND_NOTHING /* not sent */
} SendAs;

typedef struct Parameter
{
	ParameterKind kind;
	const char *name;     /* of a word as it is shown, "ORG"; of an option without the dashes */
	const char *argument; /* PARAMETER_OPTION: what its value is called */
	const char *help;

	/*
	 * What the value may be, with blanks between, for the completion; or NULL.  An option has one
	 * of them, and the database refuses wrong words.
	 */
	const char *words;

	SendAs send;
	const char *member; /* "rateLimit.burst" is a member of a member */
	const char *none; /* the value that stands for null, or in a PUT for leaving it out; or NULL */
} Parameter;

/* A column of an answer over HTTP. */
typedef struct Member
{
	const char *name; /* of the column and of the member */
	AnswerType type;
	const char *within; /* the object that has the member; NULL: the row itself */
	const char *absent; /* the value if there is no such member; NULL: null */

	/* Appends the value in place of a member's; nothing: null. */
	void (*make)(const JsonValue *row, Buffer *out);
} Member;

typedef enum RowsForm
{
	ROWS_ONE = 0, /* the answer is the row */
	ROWS_MEMBER,  /* they are in its member "list" */
	ROWS_PAGES,   /* they are in its member "data", and more behind "nextCursor" */
	ROWS_LINES    /* each line is one, and more come after the last "sequence" */
} RowsForm;

/* What a command asks of the REST API. */
typedef struct CommandRequest
{
	const char *request;  /* "GET /api-keys/{}"; NULL: it works with a database only */
	const char *change;   /* sent instead if a member is given; then all have to be; or NULL */
	const char *show;     /* sent afterwards, and its answer is shown; NULL: there is none */
	const char *constant; /* the name of a member that is always sent; or NULL */
	bool value;           /* of the constant */
	RowsForm form;
	const char *list;
	bool newest_first;     /* though the command shows the oldest first */
	const Member *members; /* the last one has no name */
} CommandRequest;

typedef enum CommandShape
{
	COMMAND_ONE,   /* the answer is one row */
	COMMAND_LIST,  /* any number of rows, as a table */
	COMMAND_LINES, /* any number of rows, a JSON object on each line, with or without --json */
	/*
	 * Asked again and again, and each row is written as it comes.  The second parameter is the
	 * column "id" of the latest row from then on; a row without a "type" says no more than that.
	 */
	COMMAND_FOLLOW,
	COMMAND_CHECKS /* rows with a column "passed"; those that are false are a failure */
} CommandShape;

typedef struct Command
{
	const char *name;    /* one or two words: "key create" */
	const char *summary; /* one line, as an order: "make an API key" */
	const char *more;    /* sentences for --help and the manual; or NULL */

	/*
	 * What other products call it, with blanks between, in place of the last word of the name; or
	 * NULL.  Whoever types one is told the name.
	 */
	const char *elsewhere;
	Parameter parameters[COMMAND_PARAMETERS_MAX + 1];

	/*
	 * Prints text that needs no database, instead of all that follows; NULL: it is a command of
	 * the database.
	 */
	bool (*print)(Buffer *out);

	/*
	 * Makes something of the words alone, without a database, and appends what is said about it;
	 * false: why it could not.  NULL: it is a command of the database.
	 */
	bool (*make)(const char *const values[], Buffer *out);

	/* Must have a row, with $1; otherwise "absent" is the error.  NULL: not asked. */
	const char *requires;
	const char *absent;

	const char *statement;

	/*
	 * Run after the statement, with the first column of its row as $1; its columns take the
	 * place of that one.  It sees what the statement has changed.  NULL: there is none.
	 */
	const char *show;

	CommandShape shape;
	const char *columns; /* of the table, with blanks between; NULL: all */

	/*
	 * What is said in place of the row: if it has a column "changed" that is false "unchanged",
	 * otherwise "done".  A column's name in braces stands for its value.  NULL: the row is shown.
	 */
	const char *done;
	const char *unchanged;

	/*
	 * The answer has a secret, which nobody can see again.  It is written before the change is
	 * committed; if it cannot be written, nothing is changed.
	 */
	bool has_secret;

	CommandRequest http;

	/* A row whose column "result" is this has failed; NULL: none has. */
	const char *failure;
} Command;

/* All commands; the last one has no name. */
extern const Command commands[];

/* How many parameters a command has. */
extern int command_count_parameters(const Command *command);

/* Whether words with blanks between have this one. */
extern bool command_lists(const char *words, const char *word);

/* What the rows of answers over HTTP have. */
extern const Member key_members[];
extern const Member key_list_members[];
extern const Member new_key_members[];
extern const Member rotated_key_members[];
extern const Member key_hour_members[];
extern const Member key_policy_members[];
extern const Member revoked_members[];
extern const Member audit_members[];
extern const Member audit_record_members[];
extern const Member audit_head_members[];

/* What to do about each row of wa.self_check(), as JSON: made from docs/operations.md. */
extern const char check_advice[];

#endif
