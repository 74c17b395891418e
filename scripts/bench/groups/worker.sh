# shellcheck shell=bash
#
# What a worker asks all the time, with many organizations: webhooks to deliver to, the numbers
# for its metrics, and a round of housekeeping where nothing is over.

ORGS=$(pick 100000 1000)
TASKS="events deliveries tickets sockets user_tokens sign_ins idempotency key_warnings ends deleted_sessions read_chats unsent media"
script stats "unbound :count" "delivery_stats"
for task in $TASKS
do
	script "$task" "unbound :count" "housekeeping $task 1000"
done

query -c "CALL bench.add_work($ORGS)"
query -c "VACUUM ANALYZE"
[ "$(query -c "BEGIN" -c "SELECT count(*) FROM wa.claim_webhooks('bench', 100, '1 minute')" -c "ROLLBACK")" = 100 ] ||
	die "worker: not 100 webhooks were claimed"
note claim "$(query -c "SELECT bench.undone(\$\$SELECT wa.claim_webhooks('bench', 100, '1 minute')\$\$, $(pick 9 2))")"
load wa_worker_login asked -t "$(pick 3 0.3)" -- stats
# shellcheck disable=SC2086 # a list of tasks
load wa_worker_login round -t "$(pick 5 1)" -- $TASKS
for task in $TASKS
do
	note round "$(median "round_$task")"
done

heading "what a worker asks, $ORGS organizations with something to deliver"
row claim_webhooks "claim_webhooks: 100 webhooks" "$(median claim)" ms "<= 10"
row delivery_stats "delivery_stats" "$(milliseconds asked_stats)" ms "<= 10"
row housekeeping "housekeeping, a round of 11 tasks with nothing to do" \
	"$(awk '$1 == "round" { us += $2 } END { print us / 1000 }' "$WORK/values")" ms "<= 50"
