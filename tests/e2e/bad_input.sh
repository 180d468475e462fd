#!/usr/bin/env bash
# What a user gets for wrong input: one clear sentence, the exit status of the contract, and nothing
# changed. No node runs, so the commands open the directory themselves.
source "$(dirname "$0")/lib.sh" "$@"

say 'wrong usage: status 2, with what was probably meant'
expect 2 'unknown command "lst"; did you mean "list"\?' "$INOS" lst
expect 2 'unknown option "--jso" of inos get; did you mean "--json"\?' "$INOS" get a b --jso
expect 2 '^inos: ID is missing' "$INOS" get customers
expect 2 'unexpected argument "surplus"' "$INOS" get customers a surplus
expect 2 'a command is missing' "$INOS"
expect 2 'no data directory was named; give --data DIR' "$INOS" get a b
expect 2 'site is missing' "$INOS" init --data shop
expect 0 '^inos [0-9]+\.[0-9]+' "$INOS" --version
for command in init invite invites join run get put patch delete list import export conflicts \
    resolve duplicates merge-records unmerge status peers members schema simulate verify; do
    expect 0 'Examples:' "$INOS" "$command" --help
done

say 'no site, or two in one directory'
expect 3 'there is no site in "nowhere"; .*inos init' "$INOS" status --data nowhere
mkdir empty
expect 3 'inos init' "$INOS" status --data empty
expect 0 'founded the space "main"' "$INOS" init --data shop --site shop
expect 4 '.' "$INOS" init --data shop --site shop
grep -q '^#listen = ' shop/inos.toml || die 'init wrote no inos.toml'
export INOS_DATA=shop

say 'records'
expect 1 '^inos: the fields is not JSON|^inos: the fields' "$INOS" put customers c1 '{"name": }'
expect 1 '.' "$INOS" put customers c1 '[1]'
expect 1 '.' "$INOS" put _schema c1 '{}'
expect 3 'no record "c1" in "customers"' "$INOS" get customers c1
expect 3 '.' "$INOS" delete customers c1
expect 0 'customers/c1 created' "$INOS" put customers c1 '{"name": "Zoë", "fax": null}'
expect 0 'customers/c1 unchanged' "$INOS" put customers c1 '{"name": "Zoë", "fax": null}'
expect 4 '.' "$INOS" patch customers c1 '{"name": "x"}' --if-match 0123456789abcdef0123456789abcdef
expect 0 '"name":"Zoë"' "$INOS" get customers c1 --json
expect 3 'no space "other"; it is in "main"' "$INOS" get customers c1 --space other
expect 0 'customers/c1 deleted' "$INOS" delete customers c1

say 'schema files: mistakes with line and column, nothing applied'
printf '[products.fields]\nstock = { type = "cuonter" }\n' >wrong.toml
expect 1 'wrong.toml:2:[0-9]+: .*cuonter' "$INOS" schema check wrong.toml
expect 1 'wrong.toml" has 1 problem' "$INOS" schema apply wrong.toml
printf '[products\n' >broken.toml
expect 1 'broken.toml:1:[0-9]+: ' "$INOS" schema check broken.toml
expect 3 'cannot open "absent.toml"' "$INOS" schema check absent.toml
expect 0 '# no schema' "$INOS" schema show
printf '[products.fields]\nstock = { type = "counter" }\ntags = { type = "set" }\n' >right.toml
expect 0 'no problems' "$INOS" schema check right.toml
expect 0 'applied' "$INOS" schema apply right.toml
expect 0 'stock += +\{ type = "counter" \}' "$INOS" schema show

say 'a value that is not of the field'\''s type'
expect 1 'stock' "$INOS" put products p1 '{"stock": "many"}'
expect 3 '.' "$INOS" get products p1

say 'import: one bad row and nothing is imported, unless bad rows may be left out'
printf '%s\n' id,name,stock,tags p1,Cup,12,red\;blue p2,Plate 'p3,"Bowl"x,1,' p4,Jug,many, \
    p5,Pan,3, >products.csv
expect 1 'products.csv:3: the row has 2 cells and the header 4' "$INOS" import products products.csv
[[ $OUTPUT == *'products.csv:4: text follows the closing quote'* ]] || die "$OUTPUT"
[[ $OUTPUT == *'products.csv:5: the column "stock" is a counter'* ]] || die "$OUTPUT"
[[ $OUTPUT == *'has 3 bad rows'*'nothing was imported'* ]] || die "$OUTPUT"
expect 3 '.' "$INOS" get products p1
expect 0 'warning: 3 bad rows left out' "$INOS" import products products.csv --skip-bad
[[ $OUTPUT == *'2 records into products: 2 created'* ]] || die "$OUTPUT"
equal 'the imported record' '{"name":"Cup","stock":12,"tags":["red","blue"]}' \
    "$(fields shop products p1)"
expect 0 '2 records into products: 0 created, 0 changed, 2 unchanged' \
    "$INOS" import products products.csv --skip-bad
expect 1 'no column "sku"' "$INOS" import products products.csv --key sku
expect 2 'cannot be told from its name' "$INOS" import products wrong.toml
expect 3 'cannot open "absent.csv"' "$INOS" import products absent.csv
[[ -z $(ls shop/imports 2>/dev/null) ]] || die 'progress files are left over'

say 'export and import again: the same records'
expect 0 '2 records of products' "$INOS" export products out.jsonl
"$INOS" import copies out.jsonl >/dev/null
"$INOS" export copies copies.jsonl >/dev/null
cmp out.jsonl copies.jsonl || die 'the exported copy differs'
expect 0 '2 records' "$INOS" export products out.csv
head -n 1 out.csv | grep -q '^id,name,stock,tags' || die "the header is $(head -n 1 out.csv)"
"$INOS" export products | "$INOS" import third - --format jsonl >/dev/null
equal 'the number of collections' 3 "$("$INOS" list --json | wc -l)"

say 'key files: missing, or open to others'
chmod 644 shop/keys/identity.key
expect 1 'identity.key' "$INOS" status
chmod 600 shop/keys/identity.key
mv shop/keys/channel.key kept.key
expect 3 'channel.key' "$INOS" status
mv kept.key shop/keys/channel.key
expect 0 'site +shop' "$INOS" status

say 'a moment that is none'
expect 2 'a time like' "$INOS" get products p1 --at nonsense
expect 2 'a time like' "$INOS" restore-record products p1 --at nonsense
expect 3 'there was no record' "$INOS" get products p1 --at 2020-01-31

say 'alone in the space, a site agrees with itself'
equal 'the last line' 'verify: all 1 sites agree' "$("$INOS" verify | tail -n 1)"
say ok
