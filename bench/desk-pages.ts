/**
 * Whole pages of the desk beside very many records: a daemon as a process on a schema of its own, which is filled,
 * asked page after page over HTTP, and dropped. `node --import tsx bench/desk-pages.ts --rows 50000000`: some 400 octets
 * of disk a record until it ends. Of each page: how long it takes, and which statements it makes. Needs the Redis and
 * Postgres of the tests.
 */
import { performance } from 'node:perf_hooks'
import { sqlOn } from '../src/store/postgres/sql.ts'
import { seedDental } from '../test/support/dental.ts'
import { browserOf, type DeskBrowser } from '../test/support/desk-browser.ts'
import { ProcessStage } from '../test/support/process-stage.ts'
import { freePort, startServices, stopServices, until } from '../test/support/services.ts'
import { ALL_ROLES, letIn } from '../test/support/tokens.ts'
import { DAYS, fillMany, manyAsked, msisdnOfMany, say, told, workedMs, type Many, type Pattern } from './many.ts'
import { numberOf } from './options.ts'

const TOKEN = 'token-of-a-bench'
const ASKED = numberOf('--asked', 200)
/** With the log at debug, for the statements. */
const COUNTED = 20
const DAY_MS = 86_400_000
const GOAL_MS = 50

/** One dialogue as the daemon records it, for all that are made. */
async function patternOf(stage: ProcessStage): Promise<Pattern> {
  await seedDental(sqlOn(stage.knex, { named: false }), { atMs: Date.now() })
  const phone = stage.smsc.phone('67570000001')
  await phone.dial('*123#')
  for (const key of ['2', '2', '1', '1']) await phone.answer(key)
  await phone.hangUp()
  const row = () => stage.knex('cdr').first<Pattern | undefined>(...PATTERN)
  await until(async () => (await row()) !== undefined, 'no record')
  return (await row())!
}
const PATTERN = ['line', 'code', 'flow', 'reason', 'screen', 'turns', 'path', 'calls']

/** Without a record, and without the days that the daemon has made. */
async function emptied(stage: ProcessStage): Promise<void> {
  const { knex } = stage
  const { rows } = await knex.raw<{ rows: { name: string }[] }>(
    `SELECT CAST(CAST(inhrelid AS regclass) AS text) AS name FROM pg_inherits
    WHERE inhparent = CAST('cdr' AS regclass) AND CAST(CAST(inhrelid AS regclass) AS text) NOT LIKE '%default'`,
  )
  for (const { name } of rows) await knex.raw(`DROP TABLE ${name}`)
  await knex.raw('TRUNCATE cdr, sms_outbox, flow_funnel CASCADE')
}

type Page = [name: string, look: (browser: DeskBrowser, n: number) => Promise<Response>]

function pagesOf(many: Many, secret: string, dialogues: readonly string[]): Page[] {
  const minute = (daysBack: number) => new Date(Date.now() - daysBack * DAY_MS).toISOString().slice(0, 16)
  const find = (days: number, seed: number): Page[1] => {
    const range = days === 7 ? '' : `?from=${minute(days)}&until=${minute(0)}`
    return (browser, n) => {
      const number = msisdnOfMany(many, n * 104_729 + seed)
      return browser.post(`/desk/number${range}`, { form: secret, number, note: 'bench' })
    }
  }
  const get =
    (path: string): Page[1] =>
    (browser) =>
      browser.get(path)
  return [
    ['Find a number, a day', find(1, 1)],
    ['Find a number, a week', find(7, 2)],
    [`Find a number, ${DAYS} days`, find(DAYS, 3)],
    ['One dialogue', (browser, n) => browser.get(dialogues[n % dialogues.length]!)],
    ['Services', get('/desk/services')],
    ['Services, the funnel of a day', get('/desk/services/dental')],
    [`Services, the funnel of ${DAYS} days`, get(`/desk/services/dental?from=${minute(DAYS)}&until=${minute(0)}`)],
    ['SMS, failed in a week', get('/desk/sms?state=failed')],
    [`SMS, failed in ${DAYS} days`, get(`/desk/sms?state=failed&from=${minute(DAYS)}&until=${minute(0)}`)],
    ['SMS, due', get('/desk/sms?state=due')],
    ['Overview', get('/desk')],
    ['Lines', get('/desk/lines')],
    ['One line', get('/desk/lines/test')],
    ['Releases', get('/desk/releases/dental')],
    ['Alarms and audit', get('/desk/alarms')],
  ]
}

/** Addresses of dialogues, by way of the numbers whose they are. */
async function dialoguesOf(browser: DeskBrowser, many: Many, secret: string): Promise<string[]> {
  const found: string[] = []
  for (let n = 0; found.length < ASKED && n < 20 * ASKED; n++) {
    const number = msisdnOfMany(many, n * 15_485_863 + 4)
    const page = await (await browser.post('/desk/number', { form: secret, number, note: 'bench' })).text()
    const one = /href="(\/desk\/number\/dialogue\/[\w-]+\?who=[\w-]+)"/.exec(page)?.[1]
    if (one !== undefined) found.push(one)
  }
  return found
}

async function looked(browser: DeskBrowser, [name, look]: Page, n: number): Promise<number> {
  const begun = performance.now()
  const answer = await look(browser, n)
  await answer.text()
  if (answer.status !== 200) throw new Error(`${name}: ${answer.status}`)
  return performance.now() - begun
}

/** Statements that come with each look, by their names: what the daemon does on its own time comes less often. */
async function statementsOf(stage: ProcessStage, browser: DeskBrowser, page: Page): Promise<string> {
  const before = stage.daemon.output().length
  for (let n = 0; n < COUNTED; n++) await looked(browser, page, n)
  const counts = new Map<string, number>()
  for (const line of stage.daemon.output().slice(before)) {
    if (!line.includes('"SQL statement"')) continue
    const { statement } = JSON.parse(line) as { statement: string }
    counts.set(statement, (counts.get(statement) ?? 0) + 1)
  }
  const each = [...counts].map(([name, n]) => [name || 'unnamed', Math.round(n / COUNTED)] as const)
  const own = each.filter(([, n]) => n > 0)
  const sum = own.reduce((all, [, n]) => all + n, 0)
  return `${sum} statement${sum === 1 ? '' : 's'}${sum ? `: ${own.map(([name, n]) => (n > 1 ? `${n} ${name}` : name)).join(', ')}` : ''}`
}

/** Beside a load, what was worked tells more than how long it took. */
async function workedBy({ daemon, knex }: ProcessStage): Promise<{ daemonMs: number; postgresMs: number }> {
  const { rows } = await knex.raw<{ rows: { pid: number }[] }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ussd-connector'`,
  )
  const postgresMs = rows.reduce((sum, { pid }) => sum + workedMs(pid), 0)
  return { daemonMs: workedMs(daemon.child.pid!), postgresMs }
}

const debugLog = (url: string) =>
  fetch(`${url}/v1/log`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ level: 'debug', subsystem: 'store', minutes: 60 }),
  })

async function timed(stage: ProcessStage, url: string, many: Many): Promise<string[]> {
  const browser = await browserOf(url).enter(TOKEN)
  const secret = /name="form" value="([\w-]+)"/.exec(await browser.text('/desk/number'))![1]!
  const pages = pagesOf(many, secret, await dialoguesOf(browser, many, secret))
  const missed: string[] = []
  for (const page of pages) {
    const took: number[] = []
    const before = await workedBy(stage)
    for (let n = 0; n < ASKED; n++) took.push(await looked(browser, page, n))
    const after = await workedBy(stage)
    const each = (of: keyof typeof after) => ((after[of] - before[of]) / ASKED).toFixed(1)
    const what = `${page[0]} (daemon ${each('daemonMs')} ms of CPU, Postgres ${each('postgresMs')})`
    if (told(what, took) > GOAL_MS) missed.push(page[0])
  }
  await debugLog(url)
  for (const page of pages) say(`${page[0]}: ${await statementsOf(stage, browser, page)}`)
  return missed
}

const many = manyAsked()
await startServices()
const port = await freePort()
const stage = new ProcessStage((settings) => {
  settings.admin.port = port
  letIn({ admin: settings.admin, data: stage.stage.data }, { token: TOKEN, roles: ALL_ROLES, name: 'mary' })
})
try {
  await stage.open()
  await stage.startBound()
  const pattern = await patternOf(stage)
  stage.daemon.kill('SIGTERM')
  await stage.daemon.exited
  await emptied(stage)
  await fillMany(stage.knex, many, pattern)
  await stage.startBound()
  const missed = await timed(stage, `http://127.0.0.1:${port}`, many)
  say(missed.length === 0 ? `every p95 is within ${GOAL_MS} ms` : `p95 over ${GOAL_MS} ms: ${missed.join('; ')}`)
} finally {
  await stage.close()
  await stopServices()
}
process.exit(0)
