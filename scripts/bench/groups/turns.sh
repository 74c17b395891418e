# shellcheck shell=bash
#
# What an organization notices of another one where a program works for all of them: the 99th
# percentile of what is B's beside the load of A, against that of B alone.  scripts/bench/turns has
# a cluster of its own.  It is measured once: making the load takes longest.

HOOKS=$(pick 10000 200)
QUEUED=$(pick 50000 2000)
SESSIONS_OF_A=$(pick 1100 50)
SOCKETS=$(pick 2000 50)

turns_row()
{
	row "$1_$2" "  beside $3" "$(median "$1_$2")" ms
	row "$1_$2_ratio" "  against alone" "$(ratio "$1_$2" "$1_alone")" "" "<= 3"
}

VALUES=$WORK/values SAMPLES=$(pick 200 10) HOOKS=$HOOKS QUEUED=$QUEUED SESSIONS=$SESSIONS_OF_A SOCKETS=$SOCKETS "$FOLDER/turns" >"$WORK/turns.out"

heading "what programs do for B beside the load of A"
row delivery_alone "a delivery of a webhook, alone: 99 % within" "$(median delivery_alone)" ms
turns_row delivery slow "200 webhooks whose receivers answer after 9 s"
turns_row delivery lanes "$HOOKS webhooks with something to deliver"
row message_alone "a message until it is sent, alone: 99 % within" "$(median message_alone)" ms
turns_row message queue "$QUEUED messages in the queue"
row start_alone "a session until a connector has paired it, alone: 99 % within" "$(median start_alone)" ms
turns_row start sessions "$SESSIONS_OF_A sessions of the same connector"
row socket_alone "an event at a WebSocket, alone: 99 % within" "$(median socket_alone)" ms
turns_row socket sockets "$SOCKETS WebSockets that get events"
