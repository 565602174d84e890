#!/bin/sh
# Puts back what backup.sh made, into an empty database and empty folders, with no daemon running
# (docs/BACKUP.md).
#
#   restore.sh --from FOLDER --database URL|none [--password-file FILE] [--settings FOLDER] [--data FOLDER] [--expire-overdue-sms]
#
# It looks at everything before it changes anything: what is not empty is not written over, and a backup with a wrong
# checksum is refused. --expire-overdue-sms: SMS that were due before now do not leave (they may have left already).
set -eu
umask 077
settings=/etc/ussd-connector data=/var/lib/ussd-connector from='' database='' password='' expire=''
die() { echo "restore.sh: $*" >&2; exit "${code:-1}"; }
usage() { sed -n 's/^# *\(restore\.sh --from.*\)/\1/p' "$0"; }
while [ $# -gt 0 ]; do
  case $1 in
    --help) usage; exit 0 ;;
    --expire-overdue-sms) expire=yes; shift; continue ;;
    --from | --database | --password-file | --settings | --data) [ $# -ge 2 ] || code=2 die "$1 needs a value" ;;
    *) code=2 die "$1 is not an option: $(usage)" ;;
  esac
  case $1 in
    --from) from=$2 ;;
    --database) database=$2 ;;
    --password-file) password=$2 ;;
    --settings) settings=$2 ;;
    --data) data=$2 ;;
  esac
  shift 2
done
[ -n "$from" ] && [ -n "$database" ] || code=2 die "needs --from and --database: $(usage)"
[ -f "$from/SHA256SUMS" ] || die "$from is no backup: it has no SHA256SUMS"
[ -f "$from/keys.tar" ] || die "put keys.tar back into $from first: without the keys nothing that is sealed can be read"
(cd "$from" && sha256sum --check --quiet SHA256SUMS) || die "$from is damaged: see above. Nothing was changed"
if [ "$database" = none ] && [ -f "$from/postgres.dump" ]; then
  die "$from has a database: name an empty one with --database"
elif [ "$database" != none ] && [ ! -f "$from/postgres.dump" ]; then
  die "$from has no database, its stores are in the data folder: say --database none"
fi
for folder in "$settings" "$data"; do
  [ -z "$(ls -A "$folder" 2>/dev/null)" ] ||
    die "$folder is not empty: move it away, or name another folder. Nothing was changed"
done

[ -z "$password" ] || { PGPASSWORD=$(cat "$password"); export PGPASSWORD; }
asked() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="$database" --command="$1"; }
if [ "$database" != none ]; then
  tables=$(asked "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname !~ '^(pg_|information_schema)'") ||
    die "the database cannot be reached, or is not there: see above (createdb makes it). Nothing was changed"
  [ "$tables" = 0 ] || die "the database is not empty: it has $tables tables and sequences. Nothing was changed"
  # All or nothing. Statistics are not in a dump, and without them the first plans are those of empty tables.
  pg_restore --dbname="$database" --no-owner --no-privileges --exit-on-error --single-transaction "$from/postgres.dump" ||
    die "pg_restore failed, see above. The database is as it was"
  asked 'ANALYZE'
fi
for pair in "settings.tar:$settings" "keys.tar:$settings" "data.tar:$data"; do
  mkdir -p "${pair#*:}"
  tar --extract --file="$from/${pair%%:*}" --directory="${pair#*:}" --numeric-owner --preserve-permissions
done
echo "restored: the backup of $(sed -n 's/^made: //p' "$from/ABOUT")"

if [ "$database" != none ]; then
  due="state IN ('due', 'submitting', 'ambiguous') AND due_at <= now()"
  count=$(asked "SELECT count(*) FROM sms_outbox WHERE $due")
  if [ "$count" != 0 ] && [ -n "$expire" ]; then
    asked "UPDATE sms_outbox SET expires_at = now() WHERE $due"
    echo "$count SMS that were due before now will not leave: the daemon sets them to expired"
  elif [ "$count" != 0 ]; then
    echo "$count SMS were due before now. They may have left after the backup, and leave once more when a daemon starts, unless:"
    echo "  UPDATE sms_outbox SET expires_at = now() WHERE $due"
  fi
fi
echo "Next: empty the dialogues in Redis (docs/BACKUP.md), then start one daemon and look at /ready."
