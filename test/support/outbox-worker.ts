/**
 * A daemon's reminders as a process of their own, to be killed: writes the id of each SMS to a file in place of a
 * socket, and kills itself (SIGKILL) at a named point of the n-th one. Ends when nothing is owed.
 * Arguments: database URL, schema, file, lease in ms, point (committed | written | never), n.
 */
import { appendFileSync } from 'node:fs'
import { silentLog } from '../../src/base/log/port.ts'
import { smsDispatcher } from '../../src/sms/outbox/dispatch.ts'
import { openPostgres } from '../../src/store/postgres/connection.ts'
import { realClock } from './clock.ts'

const [url, schema, file, leaseMs, point, nth] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
]
const db = await openPostgres({ url, searchPath: [schema] })
let n = 0

const outbox = smsDispatcher({
  sql: db.sql,
  clock: realClock,
  chance: () => 0.5,
  log: silentLog,
  counters: { count: () => undefined },
  settings: { leaseMs: Number(leaseMs), ambiguousGraceMs: 100, inFlightMax: 1, batchMax: 10 },
  async submit(sms) {
    n++
    if (point === 'committed' && n === Number(nth)) process.kill(process.pid, 'SIGKILL')
    appendFileSync(file, `${sms.id}\n`)
    if (point === 'written' && n === Number(nth)) process.kill(process.pid, 'SIGKILL')
    return { is: 'accepted', messageIds: [`m${sms.id}`] }
  },
})

for (;;) {
  await outbox.tick()
  const owed = await db.knex('sms_outbox').whereIn('state', ['due', 'submitting', 'ambiguous']).first('id')
  if (!owed) break
  await new Promise((done) => realClock.after(20, () => done(undefined)))
}
await db.close()
