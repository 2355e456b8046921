#!/usr/bin/env bash
# Imports the sample capture into a new data directory, shows its sessions, and says what to type next.
# SESHAT is the program, DATA the directory. "make sample" calls it.
set -euo pipefail
: "${SESHAT:?the program}" "${DATA:?the data directory, which is made anew}"
examples=$(dirname "$0")

# Only what an earlier run of this made is removed.
if [ -e "$DATA" ] && [ ! -e "$DATA/.sample" ]; then
  echo "examples/run.sh: $DATA is there already, and is not from the sample; name another directory with DATA" >&2
  exit 1
fi
rm -rf "$DATA"
mkdir -p "$DATA"
touch "$DATA/.sample"

seshat() { "$SESHAT" --data "$DATA" "$@"; }
# say prints a command as it would be typed, and then runs it.
say() {
  printf '\n$ seshat'
  for word in "$@"; do
    case "$word" in
      *[!A-Za-z0-9_./,=-]*) printf " '%s'" "$word" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  printf '\n'
  seshat "$@"
}
# one is the ID of the newest session that a filter finds.
one() { seshat --quiet sessions "$1" --since all --limit 1 --format csv | tail -n +2 | cut -d, -f1; }

echo "Four hours of a shop that does not exist, and the rules that somebody who runs it would write."
say apply -f "$examples/shop-rules.yaml" | awk '/created$/ {n++; next} {print} END {print n " resources created"}'
say import "$examples/shop.ndjson.gz"
say sessions --since all --limit 20

count=$(seshat --quiet sessions --since all --limit 0 --format json | wc -l)
stolen=$(one user:alice)
second=$(one user:carol)
bin=$(cd "$(dirname "$SESHAT")" && pwd)
data=$(cd "$DATA" && pwd)
cat <<NEXT

$((count)) sessions, and every one has a story. To type the rest as it stands:

  export PATH="$bin:\$PATH" SESHAT_DATA="$data"

Somebody has alice's cookie. See where the address changes, and why it is one session all the same:
  seshat session $stolen
Carol signed in where bob still was. Her session points back to his, and is not his:
  seshat session $second
Who reads orders that are not theirs?
  seshat explore 'user:mallory status:>=400' --columns time,session_id,status,endpoint,ip
Who guesses passwords?
  seshat sessions 'path:/login status:401' --since all
How did one exchange get its session?
  gzip -dc $examples/shop.ndjson.gz | sed -n 200p | seshat explain -
What does it look like without rules? Import it into another directory:
  seshat --data ./no-rules import $examples/shop.ndjson.gz

Then your own traffic, HAR, NDJSON or access logs, plain or packed:
  seshat --data ./mine import FILE...
NEXT
