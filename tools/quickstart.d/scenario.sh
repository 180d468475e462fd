# Parts of tools/quickstart: what is edited where, and what has to come of it. Sourced after lib.sh.

# change SITE ID JSON [OPTION...]: a patch of a customer, shown as one line.
change() {
    local site=$1 id=$2 patch=$3
    shift 3
    inos "$site" patch customers "$id" "$patch" "$@" >/dev/null
    printf '%-10s %s  %s%s\n' "$site" "$id" "$patch" "${*:+ $*}"
}

# What everybody knows before the cut.
prepare() {
    inos shop patch customers c-000005 '{"points": {"$inc": 100}}' >/dev/null
    inos shop patch customers c-000006 '{"tags": {"$add": ["new"]}}' >/dev/null
    inos shop patch customers c-000007 '{"vip": {"$enable": true}}' >/dev/null
    inos shop patch customers c-000008 '{"contact": {"city": "Kiel"}}' >/dev/null
    inos shop put products p-1 '{"name": "Oak board", "stock": 100}' >/dev/null
}

# The warehouse does not see the others, and they do not see it. Of two conflicting edits the
# warehouse's is always the later one.
edit() {
    change shop      c-000001 '{"name": "Ada (shop)"}'
    change warehouse c-000001 '{"name": "Ada (warehouse)"}'
    change office    c-000002 '{"email": "ada@crm.example"}' --source crm
    change warehouse c-000002 '{"email": "ada@shop.example"}' --source shop
    change shop      c-000003 '{"consent": "unsubscribed"}'
    change warehouse c-000003 '{"consent": "subscribed"}'
    change shop      c-000004 '{"notes": "call before noon"}'
    change warehouse c-000004 '{"notes": "ramp at the back"}'
    change shop      c-000005 '{"points": {"$inc": 10}}'
    change office    c-000005 '{"points": {"$inc": 5}}'
    change warehouse c-000005 '{"points": {"$inc": -3}}'
    change shop      c-000006 '{"tags": {"$add": ["vip"]}}'
    change warehouse c-000006 '{"tags": {"$add": ["wholesale"], "$remove": ["new"]}}'
    change shop      c-000007 '{"vip": {"$enable": false}}'
    change warehouse c-000007 '{"vip": {"$enable": true}}'
    change office    c-000008 '{"contact": {"phone": "+49 431 1"}}'
    change warehouse c-000008 '{"contact": {"fax": "+49 431 2"}}'
    inos shop delete customers c-000009 >/dev/null
    printf '%-10s c-000009  deleted\n' shop
    change warehouse c-000009 '{"city": "Flensburg"}'
    change office    c-000010 '{"city": "Lübeck"}'
    change warehouse c-000011 '{"city": "Husum"}'
    inos shop patch products p-1 '{"stock": {"$inc": -2}}' >/dev/null
    inos office patch products p-1 '{"stock": {"$inc": -1}}' >/dev/null
    inos warehouse patch products p-1 '{"stock": {"$inc": 50}}' >/dev/null
    printf '%-10s p-1       %s\n' shop 'stock -2' office 'stock -1' warehouse 'stock +50'
    ! agree || fail 'the sites agree although one of them is cut off'
}

# merged COLLECTION ID EXPECTED RULE: every site shows that piece of JSON in the record's fields.
merged() {
    local collection=$1 id=$2 expected=$3 rule=$4 site fields
    for site in shop warehouse office; do
        fields=$(inos "$site" get "$collection" "$id" --json |
            sed -E 's/.*"fields":(.*),"id":.*/\1/')
        [[ $fields == *"$expected"* ]] ||
            fail "$collection/$id at the $site is $fields; by \"$rule\" it has to hold $expected"
    done
    printf '%-9s %-67s %s\n' "$id" "$expected" "$rule"
}

check_merged() {
    merged customers c-000001 '"name":"Ada (warehouse)"' 'latest: the later one'
    merged customers c-000002 '"email":"ada@crm.example"' 'priority: crm before shop'
    merged customers c-000003 '"consent":"unsubscribed"' 'order: unsubscribed beats subscribed'
    merged customers c-000004 '"call before noon"' 'keep-all: one value,'
    merged customers c-000004 '"ramp at the back"' '          and the other'
    merged customers c-000005 '"points":112' 'counter: 100 + 10 + 5 - 3'
    merged customers c-000006 '"tags":["vip","wholesale"]' 'set: both added, one removed'
    merged customers c-000007 '"vip":true' 'flag: enable wins'
    merged customers c-000008 '"contact":{"city":"Kiel","fax":"+49 431 2","phone":"+49 431 1"}' \
        'map: leaf by leaf'
    merged customers c-000009 '"city":"Flensburg"' 'update-wins: the edit brings the record back,'
    merged customers c-000009 '"name":' '             whole'
    merged customers c-000010 '"city":"Lübeck"' 'no conflict'
    merged customers c-000011 '"city":"Husum"' 'no conflict'
    merged products p-1 '"stock":147' 'counter: 100 - 2 - 1 + 50'
    local conflicts
    conflicts=$(inos office conflicts customers --json | wc -l)
    printf '%d records have conflicts to look at; the one of c-000001:\n' "$conflicts"
    ((conflicts >= 4)) || fail "only $conflicts records have conflicts, and 4 were made"
    inos office conflicts customers | sed -n '1p;/c-000001/p'
}
