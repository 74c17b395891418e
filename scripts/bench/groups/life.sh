# shellcheck shell=bash
#
# How many messages a second get through their whole life, durably: scripts/bench/life in a
# cluster of its own, because it measures wa-sandbox as well.

VALUES=$WORK/values ROUNDS=$ROUNDS MESSAGES=$(pick 1000 40) "$FOLDER/life" >"$WORK/life.out"

heading "the whole life of a message: queued, sent, delivered, read, answered; 7 events, a webhook"
row life "messages" "$(median life)" 1/s ">= 400"
row life_backend "  processor time of the connector's backend for each" "$(median life_backend)" µs
row life_one "with one report in a statement" "$(median life_one)" 1/s
