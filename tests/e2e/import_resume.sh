#!/usr/bin/env bash
# An import that is killed goes on behind the last batch that was stored, and a changed file is
# another import.
source "$(dirname "$0")/lib.sh" "$@"

new_site shop
start_node shop
export INOS_DATA=shop
count=20000
seq 1 "$count" | awk 'BEGIN { print "id,name" } { print "c" $1 ",name " $1 }' >customers.csv

say 'killed in the middle'
"$INOS" import customers customers.csv --batch 10 >import.log 2>&1 </dev/null &
pid=$!
NODE_PIDS[import]=$pid
progress_is_noted() { compgen -G 'shop/imports/*[0-9a-f]' >/dev/null; }
wait_until 30 'note of how far the import has come' progress_is_noted
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
unset 'NODE_PIDS[import]'
[[ ! -s import.log ]] || die "the import had ended before it could be killed: $(cat import.log)"

say 'the second run goes on'
expect 0 'going on behind the [0-9,]+ records' "$INOS" import customers customers.csv --batch 500
[[ $OUTPUT =~ "20,000 records into customers: " ]] || die "$OUTPUT"
records=$("$INOS" list --json | sed -E 's/.*"records":([0-9]+).*/\1/')
equal 'the number of records' "$count" "$records"
[[ -z $(ls shop/imports) ]] || die 'the note is left over'

say 'the same file again is stored again, and changes nothing'
expect 0 '20,000 unchanged' "$INOS" import customers customers.csv
stop_node shop
say ok
