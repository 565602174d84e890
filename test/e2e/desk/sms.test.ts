/** The page of SMS over real stores: what waits and what failed, why, page by page, and what support does with one. */
import assert from 'node:assert/strict'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { browserOf, type DeskBrowser } from '../../support/desk-browser.ts'
import { describeWith } from '../../support/services.ts'
import { letIn } from '../../support/tokens.ts'

const HOUR = 3_600_000
const TOKENS = { support: 'supporting-token-of-a-test', read: 'reading-token-of-a-test' }

describeWith(['redis', 'postgres'], 'SMS at the desk', function () {
  this.timeout(60_000)
  let smsc: Smsc
  let staged: Staged
  let support: DeskBrowser
  let reader: DeskBrowser
  let serial = 0

  before(async () => {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      frozen: false,
      change: (settings) => {
        settings.reminders.pollMs = 60_000
        letIn(
          settings,
          { token: TOKENS.support, roles: 'read,support', name: 'supporter' },
          { token: TOKENS.read, roles: 'read', name: 'reader' },
        )
      },
    })
    await smsc.stop()
    const url = `http://127.0.0.1:${staged.daemon.admin.port}`
    support = await browserOf(url).enter(TOKENS.support)
    reader = await browserOf(url).enter(TOKENS.read)
  })
  after(() => staged?.close())
  beforeEach(() => staged.knex('sms_outbox').delete())

  async function owe(row: object): Promise<string> {
    const at = new Date(Date.now() + HOUR)
    const own = { subject: `desk:${serial++}`, kind: 'reminder', text: 'At ten', msisdn: '67570000401', line: 'test' }
    const times = { due_at: at, wake_at: at, created_at: new Date(), expires_at: new Date(Date.now() + 2 * HOUR) }
    const [made] = (await staged
      .knex('sms_outbox')
      .insert({ ...own, ...times, ...row })
      .returning('id')) as { id: string }[]
    return made!.id
  }
  const failed = (agoMs: number, more: object = {}) =>
    owe({ state: 'failed', settled_at: new Date(Date.now() - agoMs), last_error: 'refused', last_status: 11, ...more })
  const stateOf = async (id: string) =>
    (await staged.knex('sms_outbox').where({ id }).first<{ state: string }>('state'))?.state
  const audits = (what: string) => staged.logged().filter((row) => row.msg === 'admin audit' && row.what === what)

  it('is empty where there is nothing, in each state', async () => {
    for (const state of ['failed', 'expired', 'ambiguous', 'submitting', 'due', 'nothing'])
      assert.match(await reader.text(`/desk/sms?state=${state}`), /No SMS\./, state)
    assert.match(await reader.text('/desk/sms?lang=fr'), /Aucun SMS\./)
    await reader.get('/desk?lang=en')
  })

  it('says what failed and why, masked, with a link to the subscriber for support only', async () => {
    const id = await failed(1_000)
    await failed(2_000)
    await failed(3_000, { last_error: 'no response, twice', last_status: null })
    const page = await support.text('/desk/sms')
    assert.match(page, /the SMSC refused it with 0x0B ESME_RINVDSTADR: the subscriber(’|&#39;)s number is not accepted/)
    assert.match(
      page,
      /<th scope="row"[^>]*><div>the SMSC refused it[\s\S]{0,400}<div>2<\/div>[\s\S]{0,200}<div>67<\/div>/,
    )
    assert.match(page, new RegExp(`<code>${id}</code>`))
    assert.match(page, /675\*\*\*\*\*\*01/)
    assert.doesNotMatch(page, /67570000401|At ten/)
    const who = /number\?who=([\w-]+)/.exec(page)![1]!
    assert.match(await support.text(`/desk/number?who=${who}`), /Show the number/)
    const plain = await reader.text('/desk/sms')
    assert.match(plain, /675\*\*\*\*\*\*01/)
    assert.doesNotMatch(plain, /who=|\/retry/)
  })

  it('shows a thousand page by page, and those of a time', async () => {
    await staged.knex.raw(
      `INSERT INTO sms_outbox (subject, kind, state, msisdn, text, due_at, expires_at, wake_at, created_at, settled_at)
      SELECT 'many:' || n, 'campaign', 'expired', (67580000000 + n)::text, 'x', now(), now(), now(), now(), now() - n * interval '1 second'
      FROM generate_series(1, 1000) n`,
    )
    const first = await support.text('/desk/sms?state=expired')
    const ids = (page: string) => [...page.matchAll(/<code>(\d+)<\/code>/g)].map(([, id]) => id!)
    assert.equal(ids(first).length, 50)
    const next = /href="(\/desk\/sms\?[^"]+before=[^"]+)"/.exec(first)![1]!.replaceAll('&amp;', '&')
    const second = await support.text(next)
    assert.equal(new Set([...ids(first), ...ids(second)]).size, 100)
    assert.match(second, />Newest</)
    const until = new Date(Date.now() - HOUR).toISOString().slice(0, 16)
    assert.match(await support.text(`/desk/sms?state=expired&until=${until}`), /No SMS\./)
    assert.equal((await support.get('/desk/sms?before=nonsense')).status, 404)
    assert.equal((await support.get('/desk/sms?from=x&until=%00')).status, 200)
  })

  it('sends one again for support, with a reason in the audit; asks before one may come twice', async () => {
    const id = await failed(1_000)
    const here = '/desk/sms?state=failed'
    const denied = await reader.submit('/desk', `/desk/sms/${id}/retry`, { note: 'x' })
    assert.equal(denied.status, 403)
    assert.equal((await support.post(`/desk/sms/${id}/retry`, { note: 'x' })).status, 403)
    assert.equal(await stateOf(id), 'failed')
    const done = await support.submit(here, `/desk/sms/${id}/retry`, { note: 'for +67570000401', state: 'failed' })
    assert.equal(done.headers.get('location'), here)
    assert.equal(await stateOf(id), 'due')
    const [audit] = audits('sms retried')
    assert.deepEqual([audit!.who, audit!.sms, audit!.before, audit!.after], ['supporter', id, 'failed', 'due'])
    assert.doesNotMatch(JSON.stringify(staged.logged()), /67570000401/)
    const lost = await owe({ state: 'ambiguous', submitted_at: new Date(), losses: 1 })
    const asked = await support.submit('/desk/sms?state=ambiguous', `/desk/sms/${lost}/retry`, { note: 'x' })
    assert.equal(asked.status, 409)
    assert.match(await asked.text(), /accept that it may come twice/)
    await support.submit('/desk/sms?state=ambiguous', `/desk/sms/${lost}/retry`, { note: 'x', twice: 'yes' })
    assert.equal(await stateOf(lost), 'due')
    const late = await failed(1_000, { state: 'expired', expires_at: new Date(Date.now() - HOUR) })
    const past = await support.submit(here, `/desk/sms/${late}/retry`, { note: 'x', for: '' })
    assert.match(await past.text(), /Its time is over/)
    assert.match(
      await (await support.submit(here, `/desk/sms/${late}/retry`, { note: 'x', for: 'ever' })).text(),
      /30m or 2h/,
    )
    await support.submit(here, `/desk/sms/${late}/retry`, { note: 'x', for: '2h' })
    assert.equal(await stateOf(late), 'due')
  })

  it('takes back one that is due; of one that has left it says so', async () => {
    const id = await owe({ state: 'due' })
    const page = '/desk/sms?state=due'
    assert.match(await support.text(page), new RegExp(`/desk/sms/${id}/cancel`))
    await support.submit(page, `/desk/sms/${id}/cancel`, { note: 'asked for it', state: 'due' })
    assert.equal(await stateOf(id), 'cancelled')
    assert.ok(audits('sms cancelled').some(({ sms, after, note }) => sms === id && after === 'cancelled' && note))
    const sent = await owe({ state: 'delivered', submitted_at: new Date(), settled_at: new Date() })
    const gone = await support.submit(page, `/desk/sms/${sent}/cancel`, { note: 'x' })
    assert.equal(gone.status, 409)
    assert.match(await gone.text(), /It has left, or is over/)
    assert.match(
      await (await support.submit(page, '/desk/sms/999999/cancel', { note: 'x' })).text(),
      /no SMS of this number/,
    )
  })
})
