#!/usr/bin/env bash
# A laptop is retired while it is offline: what it wrote meanwhile stays with it, it is told when it
# comes back, the others go on with a new key, and it joins again as a new site.
source "$(dirname "$0")/lib.sh" "$@"

new_site shop
start_node shop
pair shop office
start_node office
pair shop laptop
start_node laptop
wait_until 20 'first sync' all_agree shop 3
"$INOS" put customers ann '{"name": "Ann"}' --data laptop >/dev/null
wait_until 20 'agreement' all_agree shop 3
stop_node laptop

say 'retired by name, once, at an admin only'
expect 1 'only an admin site retires others' "$INOS" retire laptop --data office
expect 3 'did you mean "laptop"' "$INOS" retire lapotp --data shop
expect 4 'a site cannot retire itself' "$INOS" retire shop --data shop
expect 0 'laptop is no member of the space any more' "$INOS" retire laptop --data shop
expect 3 'no member of the space is called "laptop"' "$INOS" retire laptop --data shop
member_state() {
    "$INOS" members --data "$1" --json | grep -o '"name":"laptop"[^}]*"state":"[a-z]*"'
}
retired_at() { [[ $(member_state "$1") == *'"state":"retired"' ]]; }
wait_until 20 'word of it at the office' retired_at office
wait_until 20 'agreement of the two' all_agree shop 2

say 'it comes back with something new'
"$INOS" put customers bob '{"name": "Bob"}' --data laptop >/dev/null
start_node laptop
wait_until 20 'word of it at the laptop' retired_at laptop
expect 1 'this site was retired from the space by "shop"' \
    "$INOS" put customers cid '{"name": "Cid"}' --data laptop
expect 0 '"name":"Bob"' "$INOS" get customers bob --data laptop --json
for site in shop office; do
    expect 3 '.' "$INOS" get customers bob --data "$site"
    expect 0 '"name":"Ann"' "$INOS" get customers ann --data "$site" --json
done
stop_node laptop
expect 1 'retired from the space by "shop"' \
    "$INOS" put customers cid '{"name": "Cid"}' --data laptop

say 'the others exchange under the new key'
"$INOS" put customers dan '{"name": "Dan"}' --data office >/dev/null
wait_until 20 'agreement of the two' all_agree shop 2

say 'it joins again in its place, as a new site of the same name, with all keys'
"$INOS" patch customers ann '{"city": "Bergen"}' --data office >/dev/null
code=$("$INOS" invite --data shop)
expect 0 'is kept in .*laptop.retired-1' "$INOS" join "$code" --data "$PWD/laptop" --site laptop
start_node laptop
wait_until 20 'agreement of three' all_agree shop 3
expect 0 '"name":"Dan"' "$INOS" get customers dan --data laptop --json
expect 3 '.' "$INOS" get customers bob --data laptop

say 'what only the old one had is shown, and kept'
expect 0 'customers/bob' "$INOS" carry-over laptop.retired-1 --data laptop
[[ $OUTPUT == *'{"name":"Bob"}'* && $OUTPUT != *ann* ]] || die "not what it wrote last: $OUTPUT"
expect 0 'written' "$INOS" carry-over laptop.retired-1 --data laptop --keep
expect 0 '"name":"Bob"' "$INOS" get customers bob --data laptop --json
expect 0 'carried over before' "$INOS" carry-over laptop.retired-1 --data laptop --keep
"$INOS" put customers eva '{"name": "Eva"}' --data laptop >/dev/null
wait_until 20 'its entry at the office' "$INOS" get customers eva --data office
equal 'the sites called laptop' 2 \
    "$("$INOS" members --data office --json | grep -o '"name":"laptop"' | wc -l)"
stop_node laptop
stop_node office
stop_node shop
say ok
