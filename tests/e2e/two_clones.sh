#!/usr/bin/env bash
# One directory running twice. Copies that can be told apart write under actors of their own; two
# that look alike, as of a machine whose snapshot was resumed twice, are found by what they wrote:
# an alarm at both ends, nothing lost.
source "$(dirname "$0")/lib.sh" "$@"

new_site shop
start_node shop
pair shop office
start_node office
wait_until 20 'first sync' all_agree shop 2
"$INOS" put customers ann '{"name": "Ann"}' --data office >/dev/null
wait_until 20 'agreement' all_agree shop 2
stop_node office

say 'two copies at once: the second one is known as a copy'
cp -a office clone
"$INOS" put customers bea '{"name": "Bea"}' --data office >/dev/null
"$INOS" put customers cid '{"name": "Cid"}' --data clone >/dev/null
start_node office
start_node clone
wait_until 60 'the first one at the shop' "$INOS" get customers bea --data shop
wait_until 60 'the second one at the shop' "$INOS" get customers cid --data shop
wait_until 60 'the first one at the second' "$INOS" get customers bea --data clone
wait_until 60 'the second one at the first' "$INOS" get customers cid --data office
expect 0 '"forks":\[\]' "$INOS" status --data shop --json
stop_node clone
stop_node office

# The database of a running node as it stands, to be put back after that node was killed: the
# marker file is as it was. So looks a machine that was rolled back while it ran.
snapshot() { rm -rf db.snapshot && cp -a office/db db.snapshot; }
roll_back() { rm -rf office/db && mv db.snapshot office/db; }

say 'rolled back, and then it meets a site that has seen more'
start_node office
wait_until 20 'agreement' "$INOS" get customers cid --data office
snapshot
"$INOS" put customers dan '{"name": "Dan"}' --data office >/dev/null
wait_until 20 'its entry at the shop' "$INOS" get customers dan --data shop
stop_node office KILL
roll_back
expect 3 '.' "$INOS" get customers dan --data office
# Reading has opened the directory, and renewed its marks: only the shop can tell.
expect 0 '"state":"certain"' "$INOS" status --data office --json
start_node office
wait_until 20 'its own entry, taken back' "$INOS" get customers dan --data office
expect 0 'old copy: another site held later entries' "$INOS" status --data office
"$INOS" put customers eva '{"name": "Eva"}' --data office >/dev/null
wait_until 20 'agreement' "$INOS" get customers eva --data shop
expect 0 '"forks":\[\]' "$INOS" status --data shop --json

say 'rolled back and written to: two histories under one actor'
snapshot
"$INOS" put customers flo '{"name": "Flo"}' --data office >/dev/null
wait_until 20 'its entry at the shop' "$INOS" get customers flo --data shop
stop_node office KILL
roll_back
"$INOS" put customers gil '{"name": "Gil"}' --data office >/dev/null
"$INOS" put customers hal '{"name": "Hal"}' --data office >/dev/null
start_node office
shows_fork() { "$INOS" status --data "$1" | grep -q 'two copies of office have been writing'; }
wait_until 20 'alarm at the office' shows_fork office
tells_of_fork() { grep -q 'holds another history of the site "office"' shop.log; }
wait_until 20 'alarm at the shop, which holds less of it' tells_of_fork
expect 0 'the next write goes on under a new actor' "$INOS" status --data office
"$INOS" put customers ida '{"name": "Ida"}' --data office >/dev/null
for id in ann bea cid dan eva gil hal ida; do
    expect 0 '.' "$INOS" get customers "$id" --data office
done
for id in ann bea cid dan eva flo; do
    expect 0 '.' "$INOS" get customers "$id" --data shop
done
expect 0 '"state":"certain"' "$INOS" status --data office --json
stop_node office
start_node office
wait_until 20 'alarm after a new start' shows_fork office
stop_node office
stop_node shop
say ok
