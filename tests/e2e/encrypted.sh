#!/usr/bin/env bash
# A till is stolen. Its directory was made encrypted: who has the disk reads nothing of it, while
# the node ran, after it was killed, after the database was compacted; whoever has the passphrase or
# the key file goes on. Backups go into and out of encrypted directories.
source "$(dirname "$0")/lib.sh" "$@"

WORDS=(Mustermann mustermann-7 Kundschaft Heimatstadt Lüneburg till-secret-name)
# Nothing that was written is in the directory's bytes, nor what would open it.
no_words() {
    local word
    for word in "${WORDS[@]}" 'inos-key-1 identity' 'a long passphrase'; do
        ! grep -rqaF -- "$word" "$1" || die "$1 holds \"$word\" $2: $(grep -rlaF -- "$word" "$1")"
    done
}
write_words() {
    "$INOS" put Kundschaft mustermann-7 '{"name": "Mustermann", "Heimatstadt": "Lüneburg"}' \
        --data "$1" >/dev/null
}
printf 'a long passphrase\n' >pass
printf 'another passphrase\n' >pass2
expect 0 'made a key' "$INOS" key new stick.key
equal 'the mode of a key file' 600 "$(stat -c %a stick.key)"

say 'the words of this test are found in a directory that is not encrypted'
"$INOS" init --data plain --site till-secret-name >/dev/null
write_words plain
for word in "${WORDS[@]}"; do
    grep -rqaF -- "$word" plain || die "the test looks in the wrong place for \"$word\""
done

say 'an encrypted directory: nobody without its key'
expect 2 'no terminal' "$INOS" init --data till --site till-secret-name --encrypt
[[ ! -e till ]] || die 'a refused init left a directory'
export INOS_UNLOCK=stick.key
expect 0 'encrypted' "$INOS" init --data till --site till-secret-name --encrypt
start_node till
write_words till
for i in $(seq 50); do
    "$INOS" put Kundschaft "mustermann-7-$i" '{"name": "Mustermann"}' --data till >/dev/null
done
no_words till 'while the node runs'
stop_node till KILL
no_words till 'after a kill'
unset INOS_UNLOCK
expect 1 'is encrypted, and there is no terminal' "$INOS" get Kundschaft mustermann-7 --data till
expect 1 'is encrypted, and there is no terminal' "$INOS" run --data till
expect 1 'passphrase is wrong' "$INOS" run --data till --unlock pass
expect 0 'Mustermann' "$INOS" get Kundschaft mustermann-7 --data till --unlock stick.key

say 'ways in: added, changed, taken away, but never the last one'
expect 0 'opens the directory, too' \
    "$INOS" key add owner --new pass --data till --unlock stick.key
cp till/data.key old-data.key
expect 0 'Mustermann' "$INOS" get Kundschaft mustermann-7 --data till --unlock pass
expect 0 'is changed' "$INOS" key change owner --new pass2 --data till --unlock pass
expect 1 'passphrase is wrong' "$INOS" get Kundschaft mustermann-7 --data till --unlock pass
expect 0 'Mustermann' "$INOS" get Kundschaft mustermann-7 --data till --unlock pass2
expect 0 'does not open' "$INOS" key remove key-file --data till --unlock pass2
expect 1 'the key file does not open' \
    "$INOS" get Kundschaft mustermann-7 --data till --unlock stick.key
expect 4 'only way' "$INOS" key remove owner --data till --unlock pass2
got=$("$INOS" get Kundschaft mustermann-7 --data till --unlock - <pass2)
[[ $got =~ Mustermann ]] || die "standard input did not open it: $got"
mkdir credentials
cp pass2 credentials/inos.unlock
CREDENTIALS_DIRECTORY=$WORK/credentials expect 0 'Mustermann' \
    "$INOS" get Kundschaft mustermann-7 --data till
sed -i "s|^unlock = .*|unlock = \"$WORK/pass2\"|" till/inos.toml
start_node till
no_words till 'after new ways in'
expect 0 'erased' "$INOS" erase Kundschaft mustermann-7-3 --data till
no_words till 'after an erasure'

say 'an encrypted site joins'
code=$("$INOS" invite --data till)
expect 0 'joined' "$INOS" join "$code" --data office --site office --encrypt --unlock stick.key
no_words office 'after joining'
expect 0 'Mustermann' "$INOS" get Kundschaft mustermann-7 --data office --unlock stick.key
stop_node till

say 'backups out of and into encrypted directories'
expect 0 'backup is not: whoever' "$INOS" backup plainly.inos --data till
expect 0 'sealed' "$INOS" backup till.inos --data till --with-keys --passphrase-file pass
no_words till.inos 'in a sealed backup'
expect 0 'sealed' "$INOS" backup plain.inos --data plain --with-keys --passphrase-file pass
for from in till plain; do
    expect 0 'goes on as' "$INOS" restore $from.inos --data $from-open --passphrase-file pass
    expect 0 'Mustermann' "$INOS" get Kundschaft mustermann-7 --data $from-open
    expect 0 'goes on as' "$INOS" restore $from.inos --data $from-closed --passphrase-file pass \
        --encrypt --unlock stick.key
    no_words $from-closed 'after a restore'
    expect 0 'Mustermann' "$INOS" get Kundschaft mustermann-7 --data $from-closed \
        --unlock stick.key
done

say 'what a meddler with the disk meets'
cp -r till-closed planted
cp plain/keys/identity.key planted/keys/identity.key
expect 1 'not sealed with this directory' "$INOS" status --data planted --unlock stick.key
rm -r planted
cp -r till-closed planted
rm planted/data.key
expect 1 'data.key is missing' "$INOS" status --data planted
cp office/data.key planted/data.key
expect 1 'not sealed with this directory' "$INOS" status --data planted --unlock stick.key
say ok
