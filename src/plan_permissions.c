/*-------------------------------------------------------------------------
 *
 * plan_permissions.c
 *		A query needs the permissions of all tables that it names.
 *
 * Row security asks for a permission by wa.org_for(), when a scan begins or for
 * each row.  So a scan of a table without any rows may not ask, and a missing
 * permission would look like an empty result.  The server treats its own
 * privileges differently: it checks them for each table that a query names,
 * before the query runs.  This file does the same for our permissions.
 *
 * When a query is planned, its row security conditions are searched for calls
 * of wa.org_for() and wa.org_for_own().  The permissions that they ask for are stored in the plan,
 * and each execution of the plan requires them before its first row.
 *
 * A change that reads, such as UPDATE with a condition, needs the permission to
 * read beside its own.  Few people expect that, so the plan also has the
 * permissions that a change needs for no other reason, and the error says so.
 *
 * Invariants:
 * - Row security does not depend on this file.  Its conditions ask for the
 *   permission before a row is returned, also if this check has not run.  It
 *   does not run for the tables of an SQL function that the planner inlines,
 *   because the planner finds them later.
 * - The permissions are part of the plan: a copy of the plan has them, and they
 *   change only with the plan, which the server makes anew after each change of
 *   a policy.
 * - A parallel worker checks nothing, because it has no binding.  Its leader
 *   has checked before it started the worker.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "src/compatibility.h"
#include "src/context.h"
#include "src/own_permissions.h"
#include "src/permissions.h"
#include "src/plan_permissions.h"

/*
 * The only list in a plan that extensions can add to, and that copies of the plan keep, has
 * what the plan depends on: entries of catalog caches.  No cache has one of these numbers, so
 * the server ignores our items.
 */
#define NEEDED_ITEM (-1)
#define READ_ALONG_ITEM (-2)
/* The upper halves of these sets. */
#define UPPER (-2)

/* The permissions of a query. */
typedef struct Needs
{
	WaPermissions all;        /* that its tables ask for */
	WaPermissions read_along; /* that its changes need only because they read */
} Needs;

PG_FUNCTION_INFO_V1(wa_policy_permission);

static planner_hook_type next_planner_hook = NULL;
static ExecutorRun_hook_type next_executor_run = NULL;

/* ---- Planning ---- */

/* wa.org_for() or one of its siblings */
static bool
asks_for_permission(Oid function)
{
	Oid schema = get_namespace_oid("wa", true);
	char *name;

	if (!OidIsValid(schema) || get_func_namespace(function) != schema)
		return false;
	name = get_func_name(function);
	return name != NULL &&
		   (strcmp(name, "org_for") == 0 || strcmp(name, "org_for_own") == 0 ||
			strcmp(name, "org_for_any_key") == 0 || strcmp(name, "org_for_own_any_key") == 0);
}

/* Adds the permissions that a condition asks for, each as a constant. */
static bool
collect_constants(Node *node, void *argument)
{
	List **constants = argument;

	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && asks_for_permission(((FuncExpr *) node)->funcid))
	{
		Node *permission = linitial(((FuncExpr *) node)->args);

		if (IsA(permission, Const) && !((Const *) permission)->constisnull)
			*constants = lappend(*constants, permission);
	}
	return expression_tree_walker(node, collect_constants, argument);
}

static WaPermissions
permission_of(const Const *permission)
{
	const text *name;

	if (permission->consttype != TEXTOID)
		return wa_permission_bit(DatumGetObjectId(permission->constvalue));
	name = DatumGetTextPP(permission->constvalue);
	return wa_own_permission_bit(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

/* Adds the permissions that a condition asks for.  Raises 42704 for one that was dropped. */
static bool
collect_from_condition(Node *condition, WaPermissions *permissions)
{
	List *constants = NIL;
	ListCell *cell;

	collect_constants(condition, &constants);
	foreach (cell, constants)
		*permissions |= permission_of(lfirst_node(Const, cell));
	return false;
}

/*
 * Adds the permissions that only reading needs of the table that a query changes: those of its
 * policies for SELECT.
 */
static void
collect_read_along(const Query *query, Needs *needs)
{
	RangeTblEntry *entry = rt_fetch(query->resultRelation, query->rtable);
	Relation relation = relation_open(entry->relid, NoLock);
	WaPermissions reads = 0;
	WaPermissions changes = 0;
	ListCell *cell;

	foreach (cell, relation->rd_rsdesc ? relation->rd_rsdesc->policies : NIL)
	{
		const RowSecurityPolicy *policy = lfirst(cell);
		WaPermissions *kind = policy->polcmd == ACL_SELECT_CHR ? &reads : &changes;

		collect_from_condition((Node *) policy->qual, kind);
		collect_from_condition((Node *) policy->with_check_qual, kind);
	}
	relation_close(relation, NoLock);
	needs->read_along |= reads & ~changes;
}

/* Adds the permissions that the row security of all tables in a query asks for. */
static bool
collect_from_query(Node *node, void *argument)
{
	Needs *needs = argument;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		if (((Query *) node)->resultRelation != 0)
			collect_read_along((Query *) node, needs);
		return query_tree_walker((Query *) node, collect_from_query, needs,
								 QTW_EXAMINE_RTES_BEFORE);
	}
	if (IsA(node, RangeTblEntry))
	{
		collect_from_condition((Node *) ((RangeTblEntry *) node)->securityQuals, &needs->all);
		return false;
	}
	/* The condition for rows that are added. */
	if (IsA(node, WithCheckOption))
		return collect_from_condition(((WithCheckOption *) node)->qual, &needs->all);
	return expression_tree_walker(node, collect_from_query, needs);
}

static void
store_item(PlannedStmt *plan, int kind, uint32 value)
{
	PlanInvalItem *item;

	if (value == 0)
		return;
	item = makeNode(PlanInvalItem);
	item->cacheId = kind;
	item->hashValue = value;
	plan->invalItems = lcons(item, plan->invalItems);
}

static void
store_permissions(PlannedStmt *plan, int kind, WaPermissions permissions)
{
	store_item(plan, kind + UPPER, permissions >> 32);
	store_item(plan, kind, (uint32) permissions);
}

/* A plan that has the number of an own permission is made anew when one is dropped. */
static void
store_needs(PlannedStmt *plan, const Needs *needs)
{
	store_permissions(plan, READ_ALONG_ITEM, needs->read_along);
	store_permissions(plan, NEEDED_ITEM, needs->all);
	if ((needs->all & ~WA_PERMISSIONS_BUILT_IN) != 0)
		plan->relationOids = lappend_oid(plan->relationOids, wa_own_permission_table());
}

static PlannedStmt *
plan_query(Query *query, const char *text, int options, ParamListInfo params)
{
	Needs needs = {0};
	WaPermissions explained;
	PlannedStmt *result;

	/* The planner changes the query.  It also calls wa.org_for() to estimate how many rows match. */
	if (query->hasRowSecurity)
		collect_from_query((Node *) query, &needs);
	explained = wa_context_explain(needs.read_along);
	result = next_planner_hook ? next_planner_hook(query, text, options, params)
							   : standard_planner(query, text, options, params);
	wa_context_explain(explained);
	store_needs(result, &needs);
	return result;
}

/* ---- Execution ---- */

static void
require_permissions(const PlannedStmt *plan)
{
	Needs needs = {0};
	ListCell *cell;

	/* Ours are the first ones, unless another extension has added some in front of them. */
	foreach (cell, plan->invalItems)
	{
		const PlanInvalItem *item = lfirst(cell);

		if (item->cacheId == NEEDED_ITEM)
			needs.all |= item->hashValue;
		else if (item->cacheId == NEEDED_ITEM + UPPER)
			needs.all |= (WaPermissions) item->hashValue << 32;
		else if (item->cacheId == READ_ALONG_ITEM)
			needs.read_along |= item->hashValue;
		else if (item->cacheId == READ_ALONG_ITEM + UPPER)
			needs.read_along |= (WaPermissions) item->hashValue << 32;
	}
	if (needs.all != 0)
	{
		WaPermissions explained = wa_context_explain(needs.read_along);

		wa_context_require(needs.all);
		wa_context_explain(explained);
	}
}

static void
run(WA_RUN_PARAMETERS)
{
	if (!query->already_executed)
		require_permissions(query->plannedstmt);
	if (next_executor_run)
		next_executor_run(WA_RUN_ARGUMENTS);
	else
		standard_ExecutorRun(WA_RUN_ARGUMENTS);
}

/* ---- Policies ---- */

/*
 * wa.policy_permission(condition): the name of the one permission that a policy's condition asks
 * for, or NULL.
 */
Datum
wa_policy_permission(PG_FUNCTION_ARGS)
{
	char *tree = text_to_cstring(PG_GETARG_TEXT_PP(0));
	List *constants = NIL;
	const Const *asked;

	collect_constants(stringToNode(tree), &constants);
	if (list_length(constants) != 1)
		PG_RETURN_NULL();
	asked = linitial_node(Const, constants);
	if (asked->consttype == TEXTOID)
		PG_RETURN_TEXT_P(DatumGetTextPCopy(asked->constvalue));
	PG_RETURN_TEXT_P(cstring_to_text(wa_permission_name(permission_of(asked))));
}

void
wa_plan_permissions_init(void)
{
	next_planner_hook = planner_hook;
	planner_hook = plan_query;
	next_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = run;
}
