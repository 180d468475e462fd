#!/usr/bin/env bash
# An edit at one site while another is away arrives when the line is back, both ways, and concurrent
# edits of one field stay visible. The cut is real: the processes live on without a connection.
source "$(dirname "$0")/lib.sh" "$@"

new_site shop
start_node shop
pair shop office
start_node office
wait_until 20 'first sync' all_agree shop 2

say 'together'
"$INOS" put customers ann '{"name": "Ann", "city": "Kiel", "phone": "1"}' --data shop >/dev/null
wait_until 20 'record at the office' "$INOS" get customers ann --data office

say 'apart: both go on writing'
url=$(node_url shop)
"$INOS" peers remove "$url" --data office >/dev/null
expect 1 'verify: 1 of 2 sites agree' "$INOS" verify --data shop
"$INOS" patch customers ann '{"city": "Lübeck"}' --data shop >/dev/null
"$INOS" patch customers ann '{"phone": "2", "city": "Bremen"}' --data office >/dev/null
"$INOS" put customers bea '{"name": "Bea"}' --data office >/dev/null
expect 3 '.' "$INOS" get customers bea --data shop

say 'together again'
"$INOS" peers add "$url" --data office >/dev/null
wait_until 20 'agreement' all_agree shop 2
equal 'the record at the shop' "$(fields office customers ann)" "$(fields shop customers ann)"
fields shop customers ann | grep -q '"phone":"2"' || die 'the phone of the office is lost'
expect 0 'Bremen' "$INOS" conflicts customers --data shop
expect 0 'Lübeck' "$INOS" conflicts customers --data office
expect 0 '.' "$INOS" get customers bea --data shop
"$INOS" resolve customers ann city '"Lübeck"' --data shop >/dev/null
wait_until 20 'agreement' all_agree shop 2
expect 0 '"city":"Lübeck"' "$INOS" get customers ann --data office --json
expect 0 '^no ' "$INOS" conflicts customers --data office
stop_node shop
stop_node office
say ok
