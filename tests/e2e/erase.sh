#!/usr/bin/env bash
# A person asks to be forgotten: the record is erased at one site, and soon no site has a byte of
# it, not in its database, not in its logs; each says so. A site that was away does the same when it
# is back, and the id stays refused.
source "$(dirname "$0")/lib.sh" "$@"

# holds SITE TEXT: anything in the site's directory or log holds the text.
holds() { grep -rqaF -- "$2" "$1" "$1.log" 2>/dev/null; }
holds_no() { ! holds "$1" "$2"; }

new_site shop
often() { sed -i 's/^#\?acknowledge_every = .*/acknowledge_every = "1s"/' "$1/inos.toml"; }
often shop
start_node shop
for site in office warehouse; do
    pair shop "$site"
    often "$site"
    start_node "$site"
done

say 'a customer with a history at three sites, and others'
first='{"name": "Geheim Eins", "tags": ["Geheim Zwei"]}'
"$INOS" put customers aa-geheim-id "$first" --data shop >/dev/null
for i in $(seq 20); do
    "$INOS" put customers "bb-$i" '{"name": "Other"}' --data shop >/dev/null
done
wait_until 20 'agreement' all_agree shop 3
"$INOS" patch customers aa-geheim-id '{"name": "Geheim Drei"}' --data office >/dev/null
wait_until 20 'agreement' all_agree shop 3
holds shop 'eheim' || die 'the test looks in the wrong place'

say 'one site is away and edits; the record is erased meanwhile'
stop_node warehouse
"$INOS" patch customers aa-geheim-id '{"phone": "Geheim Vier"}' --data warehouse >/dev/null
expect 0 'customers/aa-geheim-id erased' "$INOS" erase customers aa-geheim-id --data office
wait_until 30 'clean disk of the office' holds_no office eheim
wait_until 30 'clean disk of the shop' holds_no shop eheim
expect 3 'erased for good' "$INOS" put customers aa-geheim-id '{"name": "x"}' --data shop
waits() { "$INOS" erase --status --data shop --json | grep -q '"waiting":\["warehouse"\]'; }
wait_until 20 'receipts of two sites' waits

say 'the third site comes back'
start_node warehouse
wait_until 30 'clean disk of the warehouse' holds_no warehouse eheim
wait_until 20 'agreement' all_agree shop 3
done_everywhere() { "$INOS" erase --status --data shop --json | grep -q '"waiting":\[\]'; }
wait_until 20 'receipts of all sites' done_everywhere
for site in shop office warehouse; do
    holds_no "$site" eheim || die "$site holds it again"
    expect 3 '' "$INOS" get customers aa-geheim-id --data "$site"
    expect 0 'Other' "$INOS" get customers bb-7 --data "$site"
done
stop_node shop
stop_node office
stop_node warehouse
say ok
