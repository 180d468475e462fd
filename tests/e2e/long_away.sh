#!/usr/bin/env bash
# Logs are kept for a few seconds only. A site that joins when they are cut gets the records instead
# of their history, and is killed on the way; an older copy of a directory that is put back does so
# too, and what it wrote itself stays.
source "$(dirname "$0")/lib.sh" "$@"

records=${RECORDS:-12000}
soon() {
    sed -i -e 's/^#\?acknowledge_every = .*/acknowledge_every = "1s"/' \
        -e 's/^#\?log_retention = .*/log_retention = "1s"/' "$1/inos.toml"
}
cut_at() { grep -q 'log-cut' "$1.log"; }
says() { "$INOS" history "$2" "$3" --data "$1" 2>&1 | grep -q "$4"; }

new_site shop
soon shop
start_node shop
pair shop office
soon office
start_node office
seq 1 "$records" | sed -E 's/.*/{"id":"c&","name":"Customer &","note":"since &"}/' >customers.jsonl
"$INOS" import customers customers.jsonl --data shop >/dev/null
wait_until 60 'agreement' all_agree shop 2
stop_node office
cp -a office office.copy
start_node office
"$INOS" patch customers c1 '{"name": "Customer One"}' --data shop >/dev/null
wait_until 60 'agreement' all_agree shop 2
say 'the logs are cut'
wait_until 60 'a log that is cut' cut_at shop
wait_until 60 'a history that is cut' says shop customers c7 'no longer kept here'

say 'a site joins, and is killed on the way'
code=$("$INOS" invite --data shop)
"$INOS" join "$code" --data fresh --site fresh --no-wait >/dev/null
for _ in 1 2 3 4 5 6; do
    start_node fresh
    sleep "0.$((RANDOM % 4))"
    stop_node fresh KILL
done
start_node fresh
wait_until 60 'agreement of three' all_agree shop 3
"$INOS" export customers shop.jsonl --data shop >/dev/null
"$INOS" export customers fresh.jsonl --data fresh >/dev/null
cmp shop.jsonl fresh.jsonl || die 'the two hold different records'
"$INOS" patch customers c2 '{"name": "Customer Two"}' --data fresh >/dev/null
wait_until 60 'agreement of three' all_agree shop 3

say 'an older directory is put back'
stop_node office
mv office office.now
mv office.copy office
"$INOS" patch customers c3 '{"name": "Customer Three"}' --data office >/dev/null
start_node office
wait_until 90 'agreement with the old copy' all_agree shop 3
[[ $("$INOS" get customers c3 --data shop --json) == *'Customer Three'* ]] || die 'an edit is lost'
[[ $("$INOS" get customers c1 --data office --json) == *'Customer One'* ]] ||
    die 'an edit is missing'
for site in fresh office shop; do stop_node "$site"; done
say ok
