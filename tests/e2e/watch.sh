#!/usr/bin/env bash
# The change feed between two sites: what one writes, a watcher at the other prints, a transaction
# always whole; a watcher goes on from a cursor, also at the other site; metrics; a node that stops.
source "$(dirname "$0")/lib.sh" "$@"

new_site shop
start_node shop --api 127.0.0.1:0
pair shop office
start_node office

say 'a watcher at the office sees what the shop writes'
"$INOS" watch --data office --since 0 >watch.out 2>watch.err &
watcher=$!
has_line() { grep -q "$1" watch.out; }
"$INOS" put customers c1 '{"name": "Zoë"}' --data shop >/dev/null
wait_until 20 'c1 at the watcher' has_line '"fields":{"name":"Zoë"},"id":"c1","site":"shop"'
printf '{"id":"a","n":1}\n{"id":"b","n":1}\n{"id":"c","n":1}\n' >rows.jsonl
"$INOS" import orders rows.jsonl --data shop >/dev/null
wait_until 20 'the end of the import' has_line '"id":"c".*"site":"shop"'
equal 'groups of the import' 1 "$(grep '"collection":"orders"' watch.out | grep -vc '"more":true')"

say 'any cursor is a place to go on from, at every site'
cursor=$(head -n 1 watch.out | json_text cursor)
for site in shop office; do
    "$INOS" watch --data "$site" --since "$cursor" --once >once.out
    equal "changes behind the cursor at $site" 3 "$(wc -l <once.out)"
done
cursor=$(tail -n 1 once.out | json_text cursor)
expect 0 '^$' "$INOS" watch customers --data shop --since "$cursor" --once

first=$(head -n 1 watch.out | json_text cursor)
# Another site's cursor of the same moment: the same entries, on the same chains.
"$INOS" watch customers --data shop --since "$first" --once >end.out
equal 'lines of a feed that shows nothing' 1 "$(wc -l <end.out)"
there=$(json_text cursor <end.out)
equal 'where it ends' "${cursor%%-*} ${cursor: -16}" "${there%%-*} ${there: -16}"

say 'a snapshot is what there is, and goes on where it ends'
"$INOS" watch orders --data shop --snapshot --once >snapshot.out
equal 'the first line' '{"snapshot":true}' "$(head -n 1 snapshot.out)"
equal 'lines of the snapshot' 4 "$(wc -l <snapshot.out)"
cursor=$(tail -n 1 snapshot.out | json_text cursor)
"$INOS" put orders d '{"n": 1}' --data shop >/dev/null
equal 'changes behind the snapshot' 1 \
    "$("$INOS" watch orders --data shop --since "$cursor" --once | grep -c '"id":"d"')"
expect 2 'excludes --since' "$INOS" watch --data shop --snapshot --since 0

say 'it says what is wrong'
expect 2 'cursor is malformed' "$INOS" watch --data shop --since xyz
expect 1 'reserved' "$INOS" watch _schema --data shop
api=$(json_text api <shop/run.json)
curl -s -H "Authorization: Bearer $(cat shop/api.token)" "$api/metrics" >metrics.out
grep -q '^inos_records{collection="orders"} 4$' metrics.out || die 'no metrics'
equal 'metrics without a token' 401 "$(curl -s -o /dev/null -w '%{http_code}' "$api/metrics")"

say 'a node that stops ends its watchers, who know where to go on'
stop_node office
status=0
wait "$watcher" || status=$?
equal 'the status of the watcher' 1 "$status"
grep -q 'the node has stopped; the last cursor was [0-9a-f-]*, go on with' watch.err ||
    die "the watcher said: $(cat watch.err)"
expect 1 'needs the running node' "$INOS" watch --data office
stop_node shop
say ok
