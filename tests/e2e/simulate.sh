#!/usr/bin/env bash
# What a user learns from `inos simulate`: a rule that sites break together, told in a few steps;
# one that holds; and what is wrong with files and options that cannot be.
source "$(dirname "$0")/lib.sh" "$@"

printf '[products.fields]\nname = { type = "register" }\nstock = { type = "counter" }\n' >shop.toml
sed 's/"counter"/"bounded-counter", min = 0/' shop.toml >bounded.toml
printf '# what the shop relies on\nstock >= 0   # never sold twice\n' >rules.txt

say 'a counter that two sites empty: status 1, and the shortest history'
expect 1 'broken +rules.txt:2: stock >= 0' "$INOS" simulate --schema shop.toml --rules rules.txt
first=$OUTPUT
[[ $first =~ 'stock >= 0 is false for products/'[^:]+': stock is -' ]] || die "$first"
[[ $first =~ 'The shortest history found, of '([0-9]+)' steps' ]] || die "$first"
((BASH_REMATCH[1] <= 4)) || die "the history is ${BASH_REMATCH[1]} steps long: $first"
[[ $first == *'at the end all sites meet'* ]] || die "$first"
[[ $first == *'bounded-counter'* ]] || die "no word of what to do: $first"

say 'the same seed, the same bytes; and the command that it names shows it again'
expect 1 '.' "$INOS" simulate --schema shop.toml --rules rules.txt
equal 'the second answer' "$first" "$OUTPUT"
again=$(sed -n 's/^Again: inos //p' <<<"$first")
[[ -n $again ]] || die "no command to show it again: $first"
# shellcheck disable=SC2086  # words of a command
expect 1 '^1 run of 3 sites, seed ' "$INOS" $again
equal 'the history of the same seed' "$(sed -n '/^Broken/,$p' <<<"$first")" \
    "$(sed -n '/^Broken/,$p' <<<"$OUTPUT")"

say 'for programs'
expect 1 '^\{"failures":\[\{' "$INOS" simulate --schema shop.toml --rules rules.txt --json
equal 'the number of lines' 1 "$(wc -l <<<"$OUTPUT")"
[[ $OUTPUT == *'"held":false'* && $OUTPUT == *'"line":2'* ]] || die "$OUTPUT"

say 'a bounded counter holds: status 0'
expect 0 'held +rules.txt:2: stock >= 0' "$INOS" simulate --schema bounded.toml --rules rules.txt
expect 0 '5 runs of 4 sites, seeds 9 to 13' \
    "$INOS" simulate --schema bounded.toml --sites 4 --runs 5 --seed 9
[[ $OUTPUT == *'held'*'all sites come to the same'* ]] || die "$OUTPUT"

say 'rules that cannot be: file, line and column, and what was probably meant'
printf 'products.stcok >= 0\nstock >=\nstock = "many"\n\ncount(custmers) <= 1\n' >wrong.txt
expect 1 'wrong.txt" has 4 problems, see above' \
    "$INOS" simulate --schema shop.toml --rules wrong.txt
has() { [[ $OUTPUT == *"$1"* ]] || die "no $1 in: $OUTPUT"; }
has 'wrong.txt:1:1: the schema has no field "stcok" in "products"; did you mean "stock"?'
has 'wrong.txt:2:9: it ends where there should be a value'
has 'wrong.txt:3:9: "products.stock" is a number and "many" is a text'
has 'wrong.txt:5:1: the schema has no collection "custmers"; there is "products"'
printf '# nothing\n' >empty.txt
expect 1 'empty.txt" has no rules' "$INOS" simulate --schema shop.toml --rules empty.txt
expect 3 'cannot open "absent.txt"' "$INOS" simulate --schema shop.toml --rules absent.txt

say 'schemas that cannot be'
printf '[products.fields]\nstock = { type = "cuonter" }\n' >typo.toml
expect 1 'typo.toml:2:[0-9]+: .*did you mean "counter"' "$INOS" simulate --schema typo.toml
expect 3 'cannot open "absent.toml"' "$INOS" simulate --schema absent.toml
: >empty.toml
expect 1 'has no collections' "$INOS" simulate --schema empty.toml

say 'options that cannot be: status 2'
expect 2 '--schema FILE is missing' "$INOS" simulate
expect 2 '--sites 0 is not possible; say 2 to 16' "$INOS" simulate --schema shop.toml --sites 0
expect 2 'one alone writes nothing' "$INOS" simulate --schema shop.toml --sites 1
expect 2 '--sites 17 is not possible' "$INOS" simulate --schema shop.toml --sites 17
expect 2 '--runs 0 is not possible' "$INOS" simulate --schema shop.toml --runs 0
expect 2 'inos: .*--runs' "$INOS" simulate --schema shop.toml --runs many
expect 2 'inos: .*--sites' "$INOS" simulate --schema shop.toml --sites -3
expect 0 'Examples:' "$INOS" simulate --help
say ok
