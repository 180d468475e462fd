#!/usr/bin/env bash
# Three sites in a chain: the ends never meet, the middle forwards. The new site at the far end is a
# stranger to the first one, whose admission it learns over the middle. Restarts keep everything.
source "$(dirname "$0")/lib.sh" "$@"

new_site left
start_node left
code=$("$INOS" invite --role admin --data left)
"$INOS" join "$code" --data middle --site middle >/dev/null
start_node middle
pair middle right
start_node right
wait_until 20 'agreement of the chain' all_agree middle 3

say 'an edit at each end arrives at the other'
"$INOS" put stock bolt '{"shelf": "A"}' --data left >/dev/null
"$INOS" put stock nut '{"shelf": "B"}' --data right >/dev/null
wait_until 20 'forwarding to the right' "$INOS" get stock bolt --data right
wait_until 20 'forwarding to the left' "$INOS" get stock nut --data left
wait_until 20 'agreement' all_agree middle 3
for site in left right; do
    "$INOS" peers --data "$site" --json | grep -q '"name":"middle"' ||
        die "$site has lost the middle"
done

say 'the middle is away, both ends write, the middle comes back on another port'
stop_node middle KILL
"$INOS" patch stock bolt '{"shelf": "C"}' --data left >/dev/null
"$INOS" patch stock nut '{"shelf": "D"}' --data right >/dev/null
start_node middle
"$INOS" peers add "$(node_url middle)" --data right >/dev/null
wait_until 30 'agreement of the chain' all_agree middle 3
expect 0 '"shelf":"D"' "$INOS" get stock nut --data left --json
expect 0 '"shelf":"C"' "$INOS" get stock bolt --data right --json
stop_node left
stop_node middle
stop_node right
say ok
