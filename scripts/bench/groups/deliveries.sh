# shellcheck shell=bash
#
# What a worker delivers and what it costs when nothing happens: scripts/bench/deliveries, which
# has a cluster of its own without durability.

MANY=$(pick 1000 20)

VALUES=$WORK/values RECEIVERS="1 $MANY" DELIVERIES=$(pick 20000 200) SECONDS_OF_LOAD=$(pick 10 1) IDLE_SECONDS=$(pick 10 1) \
	"$FOLDER/deliveries" >"$WORK/deliveries.out"

heading "webhook deliveries of one worker"
row pace_one "to one receiver" "$(median pace_1)" 1/s ">= 3000"
row late_one "  at half of that, 99 % within" "$(median late_1)" ms "<= 250"
row cost_one "    processor time of each, worker and its connections" "$(median cost_1)" µs
row pace_many "to $MANY receivers of as many organizations" "$(median "pace_$MANY")" 1/s ">= 3000"
row late_many "  at half of that, 99 % within" "$(median "late_$MANY")" ms "<= 250"
row cost_many "    processor time of each, worker and its connections" "$(median "cost_$MANY")" µs
row idle "a worker and its connections when nothing happens" "$(median idle)" "% CPU" "<= 1"
