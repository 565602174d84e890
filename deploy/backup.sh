#!/bin/sh
# Makes a backup of one daemon and of its database (docs/BACKUP.md). `deploy/restore.sh` takes it.
#
#   backup.sh --to FOLDER --database URL|none [--password-file FILE] [--settings FOLDER] [--data FOLDER]
#
# FOLDER of --to must not be there. It gets:
#   postgres.dump  the database; not with `--database none` (stores embedded in the data folder)
#   settings.tar   what of --settings others may read: the settings file, flows, profiles
#   keys.tar       what of --settings only its owner may read: passwords, tokens, keys. Keep it elsewhere than the rest
#   data.tar       the data folder: the key of the log's hashes; the stores, where they are embedded
#   ABOUT, SHA256SUMS
set -eu
umask 077
settings=/etc/ussd-connector data=/var/lib/ussd-connector to='' database='' password=''
die() { echo "backup.sh: $*" >&2; exit "${code:-1}"; }
usage() { sed -n 's/^# *\(backup\.sh --to.*\)/\1/p' "$0"; }
while [ $# -gt 0 ]; do
  case $1 in
    --help) usage; exit 0 ;;
    --to | --database | --password-file | --settings | --data) [ $# -ge 2 ] || code=2 die "$1 needs a value" ;;
    *) code=2 die "$1 is not an option: $(usage)" ;;
  esac
  case $1 in
    --to) to=$2 ;;
    --database) database=$2 ;;
    --password-file) password=$2 ;;
    --settings) settings=$2 ;;
    --data) data=$2 ;;
  esac
  shift 2
done
[ -n "$to" ] && [ -n "$database" ] || code=2 die "needs --to and --database: $(usage)"
[ ! -e "$to" ] || die "$to is there already: a backup never goes over another one"
for folder in "$settings" "$data"; do
  [ -d "$folder" ] || die "there is no folder $folder: name it with --settings or --data"
done

# A file that is copied while it is written is of no use: embedded stores must be at rest. Their lock names a process and
# when it started, in the kernel's ticks (field 22 of /proc/PID/stat), for process ids repeat.
find "$data/" -name '*.lock' -type f | while read -r lock; do
  read -r pid start < "$lock" || continue
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || continue
  now=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20)
  [ -n "$now" ] && [ "$now" != "$start" ] ||
    die "process $pid has the stores in $data open: stop that daemon first, then take the backup"
done || exit 1
if [ "$database" = none ] && [ ! -d "$data/postgres" ]; then
  die "there is no embedded database in $data: name yours with --database"
fi

# Under another name until it is whole: what bears the name of a backup is one.
half=$to.half
mkdir -p "$(dirname "$to")"
mkdir "$half" 2>/dev/null || die "cannot make $half: left by a backup that was interrupted, or the folder cannot be written"
trap 'rm -rf "$half"' EXIT
trap 'exit 1' INT TERM HUP

# The database goes first, keys and flows after it: then there is a key for all that it has sealed.
if [ "$database" != none ]; then
  [ -z "$password" ] || { PGPASSWORD=$(cat "$password"); export PGPASSWORD; }
  pg_dump --dbname="$database" --format=custom --no-owner --no-privileges --file="$half/postgres.dump" ||
    die "pg_dump failed, see above; its release must not be older than the server's"
  pg_restore --list "$half/postgres.dump" > /dev/null || die "the dump cannot be read again"
fi
list=$half/names
tarred() { # tarred FILE FOLDER TEST…: of that folder the files and folders that pass
  file=$1 folder=$2
  shift 2
  (cd "$folder" && find . "$@" -print0) > "$list"
  tar --create --file="$half/$file" --directory="$folder" --numeric-owner --no-recursion --null --files-from="$list"
}
tarred settings.tar "$settings" \( -type d -o -type l -o -perm /077 \)
tarred keys.tar "$settings" -type f ! -perm /077
# The lock and the mark of a running daemon are of that process, not of its data.
tarred data.tar "$data" \( -type d -o -type l -o -type f \) ! -name '*.lock' ! -path ./running
rm "$list"
{
  echo "made: $(date -u +%Y-%m-%dT%H:%M:%SZ)"
  echo "host: $(uname -n)"
  echo "settings: $settings"
  echo "data: $data"
  echo "database: $([ "$database" = none ] && echo embedded || echo postgres)"
} > "$half/ABOUT"
(cd "$half" && sha256sum ABOUT ./*.tar $([ "$database" = none ] || echo postgres.dump) > SHA256SUMS)
mv "$half" "$to"
trap - EXIT

# What settings name elsewhere is in no backup of ours. /run is made anew at each start.
grep -rhoE '[A-Za-z]*(File|ca|cert|key|dir): *"?/[^", }]+' "$settings" --include='*.yaml' --include='*.yml' 2>/dev/null |
  sed 's/^[^:]*: *"*//' | sort -u | while read -r named; do
  case $named in "$settings"/* | "$data"/* | /run/*) ;; *) echo "not in the backup, for it lies elsewhere: $named" ;; esac
done
echo "$to: $(du -sh "$to" | cut -f1). Move keys.tar to another place: who has it and the rest reads all that is sealed."
