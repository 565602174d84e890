/**
 * How a reload takes each setting: one table. The longest row that fits a key is the one that counts; a key of the
 * schema that no row has fails test/daemon/reload/ways.test.ts. docs/reference/SETTINGS.md shows it.
 */

/** rebind: a new bind is tried before the old one goes. tune: the binds stay. restart: it is not taken. */
export type ReloadWay = 'rebind' | 'tune' | 'next-dial' | 'next-call' | 'next-connection' | 'at-once' | 'restart'

export interface WayRow {
  /** `[]`: each entry of a list; `NAME`: each name of a group. */
  setting: string
  way: ReloadWay
  /** What happens, or why only a restart takes it. */
  why: string
}

const row = (setting: string, way: ReloadWay, why: string): WayRow => ({ setting, way, why })

const BOUND = 'the new bind is tried first; dialogues go on'
const UNDER_BIND = 'the binds stay'
const AT_START = 'read at the start only'

export const WAYS: readonly WayRow[] = [
  row('lines', 'rebind', 'a new line binds, a line that is gone answers its open requests and unbinds'),
  row('lines[].name', 'rebind', 'another name is another line: the old one goes'),
  row('lines[].group', 'rebind', BOUND),
  row('lines[].smsc', 'rebind', `${BOUND}; also when a password or certificate in a file is another one`),
  row('lines[].bind', 'rebind', BOUND),
  row('lines[].links', 'rebind', BOUND),
  row('lines[].window', 'rebind', BOUND),
  row('lines[].timers', 'rebind', BOUND),
  row('lines[].dialect', 'tune', `${UNDER_BIND}; the next message is read by it, also when only the profile changed`),
  row('lines[].sms', 'tune', `${UNDER_BIND}; from the next SMS on`),
  row('lines[].msisdn', 'tune', `${UNDER_BIND}; who may dial from the next dial on, open dialogues end in peace`),
  row(
    'lines[].submits',
    'tune',
    `${UNDER_BIND} for another figure; a cap that comes, goes or moves to an account rebinds`,
  ),
  row('lines[].allowPlaintext', 'tune', 'checked when the file is read'),
  row('services', 'next-dial', 'new dials; open dialogues go on, also those of a service that is gone'),
  row('backends.NAME', 'next-call', 'calls in flight are answered by the old one, which is closed after them'),
  row('apps.NAME', 'next-call', 'requests in flight are answered by the old one; its texts for all dialogues at once'),
  row('texts', 'at-once', 'also the busy text of applications'),
  row('log.level', 'at-once', 'a level that `ussd-connector log` set for a while comes first'),
  row('log.msisdnKeyFile', 'restart', 'the same subscriber would get another name in the middle of a log'),
  row(
    'redis.tls',
    'next-connection',
    'certificates and keys in its files; a file that is not a certificate is refused',
  ),
  row(
    'postgres.tls',
    'next-connection',
    'certificates and keys in its files; a file that is not a certificate is refused',
  ),
  row('redis', 'restart', 'open dialogues are in the store that the daemon started with'),
  row('postgres', 'restart', 'the pool and its migrations are of the server that the daemon started with'),
  row('postgres.passwordFile', 'restart', 'its content is read for each connection; another file needs a restart'),
  row('dialogue', 'restart', 'open dialogues have deadlines by these'),
  row('dialogue.openMax', 'at-once', 'from the next dial on'),
  row('dialogue.turnsMax', 'at-once', 'from the next dial on'),
  row(
    'flows',
    'restart',
    'the folder, its plug-ins and who decides are fixed at the start; the files themselves are followed',
  ),
  row('dialects', 'restart', AT_START),
  row('contracts', 'restart', AT_START),
  row('data', 'restart', 'keys and embedded stores are in that folder'),
  row('instance', 'restart', 'the others know this daemon by its name'),
  row('late', 'restart', 'answers that are waited for have deadlines by these'),
  row('reminders', 'restart', 'modules planned their reminders by these'),
  row('sms', 'restart', AT_START),
  row('smsHooks', 'restart', AT_START),
  row('alarms', 'restart', 'alarms that wait or are told began by these'),
  row('door', 'restart', 'its port stays open'),
  row(
    'door.tokens',
    'at-once',
    'who is taken out is turned away; what their files hold is followed, every five seconds',
  ),
  row('door.tokenFile', 'at-once', 'as door.tokens'),
  row('admin.desk', 'at-once', 'from the next page on, also for who is signed in'),
  row(
    'admin.trustedProxy',
    'at-once',
    'from the next page on: who the proxy of before let in is out, and its secret is read again',
  ),
  row('admin', 'restart', 'its port stays open; the content of tokensFile is followed, every five seconds'),
  row('push', 'restart', AT_START),
  row('privacy', 'restart', 'stored dialogues are sealed by these; the content of storeKeyFile is followed'),
  row('retention', 'restart', AT_START),
  row('trace', 'restart', 'the memory of each bind is made at the start'),
  row('testDials', 'restart', AT_START),
  row('records', 'restart', AT_START),
  row('support', 'restart', AT_START),
  row('stopMs', 'restart', AT_START),
  row('embeddedInProduction', 'at-once', 'checked when the file is read'),
]

/** The row that counts for a setting. Undefined: none has it. */
export function reloadWayOf(setting: string, rows: readonly WayRow[] = WAYS): WayRow | undefined {
  const fits = rows.filter((one) => setting === one.setting || /^[.[]/.test(restOf(setting, one.setting) ?? ''))
  return fits.toSorted((a, b) => b.setting.length - a.setting.length)[0]
}

/** What follows after the row; undefined: it begins otherwise. */
function restOf(setting: string, start: string): string | undefined {
  return setting.startsWith(start) ? setting.slice(start.length) : undefined
}
