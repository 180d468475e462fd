#!/usr/bin/env bash
# A machine burns down: what its last backup holds comes back, also what no other site ever had,
# as a new site or as the same one; and no edit of anybody is lost.
source "$(dirname "$0")/lib.sh" "$@"

new_site shop
start_node shop
pair shop office
start_node office
for id in ann bea; do
    "$INOS" put customers "$id" '{"city": "Kiel"}' --data office >/dev/null
done
wait_until 20 'agreement' all_agree shop 2

say 'backups of a running node, while others write'
(
    for i in $(seq 1 200); do
        "$INOS" put customers "load$i" '{"city": "Bonn"}' --data office >/dev/null || exit 1
    done
) &
writer=$!
for _ in 1 2 3; do
    expect 0 'read again and right' "$INOS" backup backups/ --data office
done
wait "$writer" || die 'a write was refused while a backup was made'
listed=$("$INOS" backup --list backups --json)
equal 'the number of backups' 3 "$(grep -o '"backup"' <<<"$listed" | wc -l)"

say 'the line is down; the office writes what nobody else has, and is backed up'
stop_node shop
"$INOS" put customers cid '{"city": "Ulm"}' --data office >/dev/null
expect 0 'read again and right' "$INOS" backup backups --data office --keep 2
expect 0 'the backup is whole' "$INOS" backup --check backups
printf 'a long passphrase\n' >pass
expect 0 'sealed' "$INOS" backup office.inos --data office --with-keys --passphrase-file pass

say 'the office burns down; the shop goes on'
stop_node office KILL
rm -rf office
start_node shop
"$INOS" patch customers ann '{"city": "Trier"}' --data shop >/dev/null

say 'a new site from the backup'
expect 2 'holds no keys' "$INOS" restore backups --data office2
[[ ! -e office2 ]] || die 'a refused restore left a directory'
code=$("$INOS" invite --data shop)
expect 0 'it is the new site "office2"' \
    "$INOS" restore backups --data office2 --join "$code" --site office2
start_node office2
wait_until 20 'what only the office had' "$INOS" get customers cid --data shop
equal 'what the shop wrote meanwhile' '{"city":"Trier"}' "$(fields office2 customers ann)"
wait_until 20 'all of the load' "$INOS" get customers load200 --data shop

say 'the same site from the sealed backup, in a world that has gone on'
"$INOS" put customers dan '{"city": "Jena"}' --data office2 >/dev/null
expect 0 'goes on as "office"' \
    "$INOS" restore office.inos --data office --passphrase-file pass
"$INOS" put customers eva '{"city": "Gera"}' --data office >/dev/null
"$INOS" peers add "$(node_url shop)" --data office >/dev/null
start_node office
wait_until 20 'agreement' all_agree shop 3
for site in shop office office2; do
    for id in ann bea cid dan eva load1 load200; do
        expect 0 '.' "$INOS" get customers "$id" --data "$site"
    done
    expect 0 '"forks":\[\]' "$INOS" status --data "$site" --json
done
stop_node office
stop_node office2
stop_node shop
say ok
