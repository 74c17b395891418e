/*-------------------------------------------------------------------------
 *
 * statement_tree.c
 *		Which objects an analyzed statement uses: only the server's and the extension's.
 *
 * The text of a statement does not determine what it does.  Which function a
 * call runs, and what a cast does, is decided when the text is analyzed: by the
 * search path, by the types that a client declares for the parameters, and by
 * the operators and casts that exist at that time.  So this file checks the
 * result of the analysis.  Every object in it must have come with the server or
 * belong to the extension.
 *
 * Objects that came with the server have an OID below FirstNormalObjectId.  The
 * counter of OIDs never goes back below it.
 *
 * The objects that a view, a policy or a function body uses are not in the
 * tree.  These views, policies and functions are the extension's own and were
 * analyzed when it was installed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parse_param.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "src/compatibility.h"
#include "src/statement_list.h"
#include "src/statement_tree.h"

typedef struct Search
{
	Oid extension; /* whose members may be used */
	ObjectAddress found;
} Search;

PG_FUNCTION_INFO_V1(wa_statement_parameters);

static bool walk(Node *node, Search *search);

/*
 * ---- Objects.  Each function returns true, which ends the walk, for an object that is not
 * known. ----
 */

static bool
is_known(Oid class, Oid object, const Search *search)
{
	return object < FirstNormalObjectId ||
		   (OidIsValid(search->extension) &&
			getExtensionOfObject(class, object) == search->extension);
}

static bool
check_object(Oid class, Oid object, Search *search)
{
	if (is_known(class, object, search))
		return false;
	ObjectAddressSet(search->found, class, object);
	return true;
}

static bool
check_function(Oid function, void *search)
{
	return check_object(ProcedureRelationId, function, search);
}

static bool
check_operator(Oid operator, Search * search)
{
	return check_object(OperatorRelationId, operator, search);
}

/* An array is known if its elements are, and a row type if its table is. */
static bool
check_type(Oid type, Search *search)
{
	Oid element = type < FirstNormalObjectId ? InvalidOid : get_element_type(type);
	Oid relation;

	if (OidIsValid(element)) /* which is no array itself */
		type = element;
	relation = type < FirstNormalObjectId ? InvalidOid : get_typ_typrelid(type);
	if (OidIsValid(relation) && is_known(RelationRelationId, relation, search))
		return false;
	return check_object(TypeRelationId, type, search);
}

static bool
check_types(List *types, Search *search)
{
	ListCell *cell;

	foreach (cell, types)
		if (check_type(lfirst_oid(cell), search))
			return true;
	return false;
}

static bool
check_operators(List *operators, Search *search)
{
	ListCell *cell;

	foreach (cell, operators)
		if (check_operator(lfirst_oid(cell), search))
			return true;
	return false;
}

/* ---- Nodes ---- */

/* Whether exprType() accepts the node: an expression, not a clause around one. */
static bool
is_typed(Node *node)
{
	switch (nodeTag(node))
	{
		case T_Query:
		case T_RangeTblEntry:
		case T_RangeTblFunction:
		case T_RangeTblRef:
		case T_TableFunc:
		case T_TableSampleClause:
		case T_TargetEntry:
		case T_SortGroupClause:
		case T_GroupingSet:
		case T_WindowClause:
		case T_RowMarkClause:
		case T_WithCheckOption:
		case T_CommonTableExpr:
		case T_CTESearchClause:
		case T_CTECycleClause:
		case T_SetOperationStmt:
		case T_FromExpr:
		case T_JoinExpr:
		case T_OnConflictExpr:
		case T_MergeAction:
		case T_CaseWhen:
		case T_List:
			return false;
		default:
			return true;
	}
}

static bool
check_range_table_entry(RangeTblEntry *entry, Search *search)
{
	return entry->rtekind == RTE_RELATION && check_object(RelationRelationId, entry->relid, search);
}

/* Checks the parts of a node other than its type and the function that it calls. */
static bool
check_parts(Node *node, Search *search)
{
	switch (nodeTag(node))
	{
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr: /* all use one structure */
			return check_operator(((OpExpr *) node)->opno, search);
		case T_ScalarArrayOpExpr:
			return check_operator(((ScalarArrayOpExpr *) node)->opno, search);
		case T_RowCompareExpr:
			return check_operators(((RowCompareExpr *) node)->opnos, search);
		case T_CollateExpr:
			return check_object(CollationRelationId, ((CollateExpr *) node)->collOid, search);
		case T_SortGroupClause:
			return check_operator(((SortGroupClause *) node)->eqop, search) ||
				   check_operator(((SortGroupClause *) node)->sortop, search);
		case T_RangeTblEntry:
			return check_range_table_entry((RangeTblEntry *) node, search);
		case T_RangeTblFunction:
			return check_types(((RangeTblFunction *) node)->funccoltypes, search);
		case T_TableFunc:
			return check_types(((TableFunc *) node)->coltypes, search);
		default:
			return false;
	}
}

static bool
walk(Node *node, Search *search)
{
	if (node == NULL)
		return false;
	if (check_parts(node, search) || check_functions_in_node(node, check_function, search))
		return true;
	if (is_typed(node) && check_type(exprType(node), search))
		return true;
	if (IsA(node, RangeTblEntry)) /* its parts are walked from the query */
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, walk, search,
								 QTW_EXAMINE_RTES_BEFORE | QTW_EXAMINE_SORTGROUP);
	return expression_tree_walker(node, walk, search);
}

char *
wa_foreign_object(Query *query)
{
	Search search = {.extension = get_extension_oid("wa_apikeys", true)};

	if (!walk((Node *) query, &search))
		return NULL;
	return getObjectDescription(&search.found, false);
}

/* ---- Registration ---- */

/* Analyzes the only statement of a text.  Its parameters get the types that the text implies. */
static Query *
analyze(const char *source, Oid **types, int *count)
{
	List *statements = pg_parse_query(source);
	Query *query;

	if (list_length(statements) != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a registered statement must be exactly one")));
	query = parse_analyze_varparams(linitial_node(RawStmt, statements), source, types, count, NULL);
	if (query->commandType == CMD_UTILITY)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a utility statement cannot be registered")));
	return query;
}

static void
check_parameters(const Oid *types, int count)
{
	if (count > WA_STATEMENT_PARAMETERS_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a registered statement can have at most %d parameters",
							   WA_STATEMENT_PARAMETERS_MAX)));
	for (int i = 0; i < count; i++)
		if (types[i] == InvalidOid || types[i] == UNKNOWNOID)
			ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_DATATYPE),
							errmsg("could not determine data type of parameter $%d", i + 1)));
}

/* wa.statement_parameters(source): the types of the statement's parameters */
Datum
wa_statement_parameters(PG_FUNCTION_ARGS)
{
	Oid *types = NULL;
	int count = 0;
	Query *query = analyze(text_to_cstring(PG_GETARG_TEXT_PP(0)), &types, &count);
	char *foreign = wa_foreign_object(query);
	Datum values[WA_STATEMENT_PARAMETERS_MAX];

	if (foreign != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("a registered statement cannot use %s", foreign),
				 errdetail("It belongs neither to the server nor to the extension wa_apikeys.")));
	check_parameters(types, count);
	for (int i = 0; i < count; i++)
		values[i] = ObjectIdGetDatum(types[i]);
	PG_RETURN_ARRAYTYPE_P(
		construct_array(values, count, REGTYPEOID, sizeof(Oid), true, TYPALIGN_INT));
}
