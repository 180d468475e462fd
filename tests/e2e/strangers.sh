#!/usr/bin/env bash
# Who is not invited stays outside: codes that were used, have expired or are mistyped, a site of
# another space, keys of another site, and frames of garbage. The node stays up.
source "$(dirname "$0")/lib.sh" "$@"

new_site shop
start_node shop --api 127.0.0.1:0
"$INOS" put customers ann '{"name": "Ann"}' --data shop >/dev/null
code=$("$INOS" invite --data shop)

say 'a code that is mistyped'
expect 1 'mistyped' "$INOS" join "${code%?????}aaaaa" --data a --site a
[[ ! -e a ]] || die 'a failed join left a directory'

say 'a code works once'
"$INOS" join "$code" --data office --site office >/dev/null
expect 1 'did not accept the code' "$INOS" join "$code" --data b --site b

say 'a code expires'
short=$("$INOS" invite --ttl 1s --data shop)
over=$(($(date +%s) + 2))
second_is_over() { (($(date +%s) >= over)); }
wait_until 10 'passing of the second' second_is_over
expect 1 'expired' "$INOS" join "$short" --data c --site c
[[ ! -e c ]] || die 'a failed join left a directory'

say 'a site of another space is refused'
new_site stranger
start_node stranger --peer "$(node_url shop)"
refused() { "$INOS" peers --data stranger --json | grep -q '"last_error":"[^"]'; }
wait_until 20 'refusal' refused
expect 3 '.' "$INOS" get customers ann --data stranger
stop_node stranger

say 'keys of another site are refused'
start_node office
wait_until 20 'agreement' all_agree shop 2
stop_node office
cp -r office/keys office.keys
for kind in identity channel sealing; do cp "stranger/keys/$kind.key" "office/keys/$kind.key"; done
expect 1 'belong to another site' "$INOS" run --data office --listen 127.0.0.1:0
rm -r office/keys
mv office.keys office/keys

say 'garbage at the door'
port=$(node_url shop | sed 's/.*://')
for _ in 1 2 3; do
    { head -c 5000 /dev/urandom >"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || true
done
api=$(json_text api <shop/run.json)
headers=(-H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'
    -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' -H 'Sec-WebSocket-Protocol: inos.sync.1')
head -c 3000 /dev/urandom | curl -s -m 2 -o /dev/null --http1.1 "${headers[@]}" -T - \
    "http://127.0.0.1:$port/v1/sync" || true
equal 'health after garbage' 200 "$(curl -s -o /dev/null -w '%{http_code}' "$api/healthz")"

say 'the member still gets in'
start_node office
"$INOS" peers add "$(node_url shop)" --data office >/dev/null
"$INOS" put customers bea '{"name": "Bea"}' --data shop >/dev/null
wait_until 20 'record at the office' "$INOS" get customers bea --data office
wait_until 20 'agreement' all_agree shop 2
stop_node office
stop_node shop
say ok
