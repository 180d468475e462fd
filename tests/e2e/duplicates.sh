#!/usr/bin/env bash
# Two sites make the same customer while they cannot reach each other: what the schema asks of
# values, finding the two, merging them, and taking that back, from the command line.
source "$(dirname "$0")/lib.sh" "$@"

say 'a schema that asks something of values'
new_site shop
start_node shop
pair shop office
start_node office
printf '%s\n' '[customers]' 'identity = ["email"]' '[customers.fields]' \
    'email = { type = "register", format = "email", canon = ["trim", "lower"] }' \
    'state = { type = "register", enum = ["open", "closed"], default = "open" }' \
    'note  = { type = "register", max = 5, check = "warn" }' >schema.toml
expect 0 'no problems' "$INOS" schema check schema.toml
expect 0 'applied' "$INOS" schema apply schema.toml --data shop
printf '%s\n' '[c.fields]' 'a = { type = "map", format = "email" }' \
    'b = { type = "set", canon = "lowr" }' >wrong.toml
expect 1 'wrong.toml:2:[0-9]+: has no effect on a "map"' "$INOS" schema check wrong.toml
[[ $OUTPUT == *'wrong.toml:3:'*'did you mean "lower"?'* ]] || die "$OUTPUT"
expect 1 'has to be an e-mail address' "$INOS" put customers s1 '{"email": "ann"}' --data shop
expect 3 '.' "$INOS" get customers s1 --data shop
fields='{"email": " Ann@B.se", "note": "too long"}'
expect 0 'warning: .*at most 5' "$INOS" put customers s1 "$fields" --data shop
equal 'the record' '{"email":"ann@b.se","note":"too long","state":"open"}' \
    "$(fields shop customers s1)"

say 'the same customer at the other site'
wait_until 20 'agreement' all_agree shop 2
stop_node office
expect 0 'created' "$INOS" put customers o1 '{"email": "ann@b.se", "city": "Lund"}' --data office
start_node office
wait_until 20 'agreement' all_agree shop 2
expect 0 'email=ann@b.se +o1, s1' "$INOS" duplicates customers --data shop
expect 0 '"ids":\["o1","s1"\]' "$INOS" duplicates --json --data shop

say 'merged, at both sites'
expect 0 'customers/o1 stands for customers/s1.*copied: city' \
    "$INOS" merge-records customers s1 o1 --data shop
wait_until 20 'agreement' all_agree shop 2
equal 'the alias at the other site' '"id":"s1"' \
    "$("$INOS" get customers o1 --data office --json | grep -o '"id":"[^"]*"')"
expect 0 'customers/o1 stored' "$INOS" patch customers o1 '{"phone": "1"}' --data office
wait_until 20 'the write through the alias' test \
    '"1"' = "$(fields office customers s1 | grep -o '"1"')"
expect 0 'no duplicates' "$INOS" duplicates --data office
expect 0 'customers +o1 +s1' "$INOS" duplicates --merged --data office

say 'and taken back'
expect 0 'a record of its own again' "$INOS" unmerge customers s1 o1 --data office
equal 'what was merged away' '{"city":"Lund","email":"ann@b.se","state":"open"}' \
    "$(fields office customers o1)"
expect 3 'stands for no other record' "$INOS" unmerge customers s1 o1 --data office
wait_until 20 'agreement' all_agree shop 2
expect 0 'o1, s1' "$INOS" duplicates --data shop
say ok
