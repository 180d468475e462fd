#!/usr/bin/env bash
# Records that a disk has changed or lost behind the node's back: no root shows it, `inos verify
# --repair` finds it and puts it right, with a running node and without.
source "$(dirname "$0")/lib.sh" "$@"

new_site shop
start_node shop
pair shop office
start_node office
wait_until 20 'first sync' all_agree shop 2
for name in ann bob cid; do
    "$INOS" put customers "$name" "{\"name\": \"$name\", \"tags\": [\"a\", \"b\"]}" \
        --data office >/dev/null
done
wait_until 20 'agreement' all_agree shop 2
before=$("$INOS" list customers --data office --json)

say 'one record is changed, another one lost'
stop_node office
"$INOS_DAMAGE" office customers ann flip
"$INOS_DAMAGE" office customers bob lose
start_node office
wait_until 20 'agreement, as the roots say' all_agree office 2
expect 0 'repaired customers ann: ' "$INOS" verify --repair --data office
equal 'what the office holds' "$before" "$("$INOS" list customers --data office --json)"
expect 0 'repaired 0, could not repair 0' "$INOS" verify --repair --data office
expect 0 'all 2 sites agree' "$INOS" verify --data shop

say 'the same without a node'
stop_node office
"$INOS_DAMAGE" office customers bob flip
"$INOS_DAMAGE" office customers cid lose
expect 1 'repaired customers cid: it was missing' "$INOS" verify --repair --data office
equal 'what the office holds' "$before" "$("$INOS" list customers --data office --json)"

say 'a byte of a table: a whole block cannot be read any more'
for name in ann bob; do
    "$INOS_DAMAGE" office customers "$name" tear
    expect 0 '' "$INOS" get customers "$name" --data office
    equal 'what the office holds' "$before" "$("$INOS" list customers --data office --json)"
done
expect 1 'repaired 0, could not repair 0' "$INOS" verify --repair --data office

say 'and both go on'
start_node office
"$INOS" put customers bob '{"name": "Bob"}' --data office >/dev/null
wait_until 20 'agreement' all_agree shop 2
equal 'the record at the shop' '{"name":"Bob"}' "$(fields shop customers bob)"
