#!/usr/bin/env bash
# A site that joins a full space and is killed twenty times on the way: while it pairs, and while
# the records arrive. The same command again goes on where it was; nothing is lost or there twice.
source "$(dirname "$0")/lib.sh" "$@"

records=${RECORDS:-20000}
rounds=${ROUNDS:-20}
new_site shop
seq 1 "$records" | sed -E 's/.*/{"id":"c&","name":"Customer &","city":"Town &","note":"since &"}/' \
    >customers.jsonl
"$INOS" import customers customers.jsonl --data shop >/dev/null
start_node shop

held() { "$INOS" status --data office --json | sed -nE 's/.*"records":([0-9]+).*/\1/p'; }
# Some part of a second, from nothing to what a whole round takes.
a_moment() { sleep "0.$(printf '%03d' $((RANDOM % ${1:-300})))"; }

say 'killed while it pairs'
code=$("$INOS" invite --data shop)
cut=0
while ((cut < rounds / 4)); do
    "$INOS" join "$code" --data office --site office >join.out 2>&1 &
    joiner=$!
    a_moment 120
    kill -KILL "$joiner" 2>/dev/null || break  # it was done before
    wait "$joiner" || true
    cut=$((cut + 1))
done
# What it was told before may have been all that it needed.
if ! "$INOS" status --data office >/dev/null 2>&1; then
    "$INOS" join "$code" --data office --site office >/dev/null || die "cannot join after $cut cuts"
fi

say 'killed while the records arrive'
before=0
while ((cut < rounds)); do
    start_node office
    a_moment
    stop_node office KILL
    now=$(held)
    ((now >= before)) || die "held $before records, and now $now"
    before=$now
    cut=$((cut + 1))
done
say "$cut cuts, $before of $records records so far"
start_node office
wait_until 60 'agreement' all_agree shop 2
equal 'the number of records' "$records" "$(held)"
"$INOS" export customers shop.jsonl --data shop >/dev/null
"$INOS" export customers office.jsonl --data office >/dev/null
cmp shop.jsonl office.jsonl || die 'the two hold different records'
stop_node office
stop_node shop
say ok
