#!/usr/bin/env bash
# A directory that was put back from an old copy, and one that was started twice: nothing is lost,
# nothing is refused, and no entry's number is used twice.
source "$(dirname "$0")/lib.sh" "$@"

new_site shop
start_node shop
pair shop office
start_node office
wait_until 20 'first sync' all_agree shop 2
"$INOS" put customers ann '{"name": "Ann"}' --data office >/dev/null
wait_until 20 'agreement' all_agree shop 2

actor() {
    "$INOS" status --data "$1" --json | sed -nE 's/.*"continuity":\{"actor":"([^"]*)".*/\1/p'
}
continuity() {
    "$INOS" status --data "$1" --json |
        sed -nE 's/.*"continuity":\{"actor":"[^"]*"(,"reason":"[^"]*")?,"state":"([^"]*)".*/\2/p'
}

say 'a copy of the stopped office; the original goes on'
stop_node office
cp -a office office.copy
start_node office
equal 'the state of the original' certain "$(continuity office)"
old=$(actor office)
"$INOS" put customers bea '{"name": "Bea"}' --data office >/dev/null
wait_until 20 'agreement' all_agree shop 2
stop_node office

say 'the copy takes its place, and is written to before it meets anybody'
mv office office.original
mv office.copy office
expect 0 'this directory was copied; the next write goes on under a new actor' \
    "$INOS" status --data office
"$INOS" put customers cid '{"name": "Cid"}' --data office >/dev/null
[[ $(actor office) != "$old" ]] || die 'the copy wrote under the actor of the original'
equal 'the state of the copy' certain "$(continuity office)"
start_node office
wait_until 20 'agreement' all_agree shop 2
for site in shop office; do
    for id in ann bea cid; do
        expect 0 '.' "$INOS" get customers "$id" --data "$site"
    done
    expect 0 '"forks":\[\]' "$INOS" status --data "$site" --json
done
"$INOS" history customers bea --data office | grep -q office || die 'its own entry lost its name'
"$INOS" history customers cid --data shop | grep -q office || die 'the new actor has no name'

say 'put back in place, over the files that are there'
stop_node office
mkdir kept
cp -a office/. kept/
start_node office
old=$(actor office)
"$INOS" put customers dan '{"name": "Dan"}' --data office >/dev/null
wait_until 20 'agreement' all_agree shop 2
stop_node office
rm -rf office/db
cp -a kept/. office/
expect 0 'put back from a copy' "$INOS" status --data office
start_node office
wait_until 20 'its own entry, taken back' "$INOS" get customers dan --data office
"$INOS" put customers eva '{"name": "Eva"}' --data office >/dev/null
[[ $(actor office) != "$old" ]] || die 'what was put back wrote under the old actor'
wait_until 20 'agreement' all_agree shop 2
stop_node office

say 'a new start changes nothing'
old=$(actor office)
start_node office
"$INOS" put customers flo '{"name": "Flo"}' --data office >/dev/null
equal 'the actor' "$old" "$(actor office)"
wait_until 20 'agreement' all_agree shop 2
stop_node office
stop_node shop
say ok
