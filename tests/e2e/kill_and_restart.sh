#!/usr/bin/env bash
# kill -9 in the middle of writing and of syncing, again and again: what was acknowledged is there,
# the sites agree in the end, and nothing has to be repaired by hand.
source "$(dirname "$0")/lib.sh" "$@"

rounds=${ROUNDS:-6}
new_site shop
start_node shop
pair shop office
start_node office

# Writes one record after the other to the running node and notes those that were acknowledged.
write_until_dead() {
    local round=$1 i
    for i in $(seq 1 200); do
        curl -sf --unix-socket shop/api.sock -o /dev/null -X PUT \
            -H 'Content-Type: application/json' -d "{\"round\": $round, \"n\": $i}" \
            "http://localhost/v1/collections/ledger/records/r$round-$i" || return 0
        echo "r$round-$i" >>acknowledged
    done
}
enough_written() { [[ $(grep -c "^r$1-" acknowledged 2>/dev/null || true) -ge $2 ]]; }

for round in $(seq 1 "$rounds"); do
    write_until_dead "$round" &
    writer=$!
    wait_until 20 'acknowledged writes' enough_written "$round" $((5 + round * 3 % 60))
    if ((round % 2)); then victim=shop; else victim=office; fi
    stop_node "$victim" KILL
    if [[ $victim == office ]]; then stop_node shop KILL; start_node shop; else start_node shop; fi
    wait "$writer"
    [[ $victim == shop ]] || start_node office
    # The kernel gave the shop another port: tell the office where it is now.
    "$INOS" peers add "$(node_url shop)" --data office >/dev/null
done
wait_until 30 'agreement' all_agree shop 2

say "$(wc -l <acknowledged) acknowledged writes, $rounds rounds"
for site in shop office; do
    "$INOS" export ledger "$site.jsonl" --data "$site" >/dev/null
    sed -nE 's/.*"id":"([^"]*)".*/\1/p' "$site.jsonl" | sort >"$site.ids"
    lost=$(sort acknowledged | comm -23 - "$site.ids")
    [[ -z $lost ]] || die "acknowledged and not at $site: $lost"
done
stop_node shop
stop_node office
say ok
