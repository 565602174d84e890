import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FROZEN, leaveEarlier, stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { T1, T10, T11, T2, T4, T5, T6, T7, T8, T9, T3, T1_MARY } from '../../support/screens.ts'
import { describeWith, freePort, until } from '../../support/services.ts'
import { root } from '../../style/tree.ts'

const folder = join(root, 'examples/django-dental')
const BUSY = 'Service busy. Please try again later.'

/** The interpreter that has Django, as the example's own start script looks for it. */
function pythonWithDjango(): string | undefined {
  return ['python3', '/usr/bin/python3'].find((python) => {
    try {
      execFileSync(python, ['-c', 'import django'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
}

describeWith(['redis', 'postgres'], 'the dental flow with a Django application as its back end', function () {
  const python = pythonWithDjango()
  let data: string
  let port: number
  let adminPort: number
  let today = FROZEN
  let django: ChildProcess
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let staged: Staged

  const env = () => ({
    ...process.env,
    DENTAL_DATA: data,
    DENTAL_FROZEN: '2025-05-01T09:00:00+10:00',
    DENTAL_TOKEN: 'a token',
    PORT: String(port),
    CONNECTOR_URL: `http://127.0.0.1:${adminPort}`,
  })
  /** A few lines of Python with the application's models at hand. */
  const inDjango = (lines: string) =>
    execFileSync(python!, ['manage.py', 'shell', '-c', `from dental.models import *\n${lines}`], {
      cwd: folder,
      env: env(),
    })
      .toString()
      .trim()

  /** The same, while the daemon, which is in this process, goes on. */
  const besideUs = async (lines: string) => {
    const args = ['manage.py', 'shell', '-c', `from dental.models import *\n${lines}`]
    return (await promisify(execFile)(python!, args, { cwd: folder, env: env() })).stdout.trim()
  }

  async function startDjango(): Promise<void> {
    django = spawn(join(folder, 'run'), { env: env(), stdio: 'ignore' })
    await until(
      async () => (await fetch(`http://127.0.0.1:${port}/admin/login/`).catch(() => undefined))?.ok ?? false,
      'Django does not answer',
      30_000,
    )
  }
  async function stopDjango(): Promise<void> {
    const gone = new Promise((done) => django.once('exit', done))
    django.kill('SIGTERM')
    await gone
  }

  before(async function () {
    if (!python) return this.skip()
    this.timeout(60_000)
    data = mkdtempSync(join(tmpdir(), 'ussd-django-'))
    port = await freePort()
    adminPort = await freePort()
    await startDjango()
    smsc = await foreignSmsc()
    staged = await stageDaemon({
      smscPort: smsc.port,
      today: () => today,
      change: (settings) => {
        settings.admin.port = adminPort
        settings.admin.tokensFile = join(data, 'connector.tokens')
        settings.reminders.pollMs = 50
        settings.backends.dental = {
          http: {
            url: `http://127.0.0.1:${port}/ussd`,
            timeoutMs: 5_000,
            headers: { authorization: 'Bearer a token' },
            concurrent: 50,
            retries: 1,
            octetsMax: 262_144,
            ended: true,
            smsToken: 'dental',
          },
        }
      },
    })
  })
  after(async () => {
    if (!python) return
    await staged?.close()
    smsc?.stop()
    if (django?.exitCode === null) await stopDjango()
    rmSync(data, { recursive: true, force: true })
  })

  it('every screen comes as documented, and the booking is a row of Django', async function () {
    const john = smsc.phone('67570000001')
    assert.equal((await john.dial('*123#')).text, T1)
    const steps: [string, string][] = [
      ['1', T2],
      ['3', T1],
      ['2', T4],
      ['2', T5],
      ['1', T6],
      ['2', T5],
      ['1', T6],
      ['1', T7],
      ['1', T1],
    ]
    for (const [answer, screen] of steps) assert.equal((await john.answer(answer)).text, screen, `after ${answer}`)
    assert.equal(
      inDjango(
        "print(Appointment.objects.filter(msisdn='67570000001', status='booked', slot__clinic='koki', slot__type='checkup').count())",
      ),
      '1',
    )
    assert.equal(
      (await john.answer('3')).text,
      T8.replace('1. Checkup', '1. Checkup (10/05/2025, Koki Dental Clinic)\n2. Checkup').replace('2. Back', '3. Back'),
    )
    assert.equal((await john.answer('2')).text, T10)
    assert.equal((await john.answer('1')).text, T11)
    await john.hangUp()
    const mary = smsc.phone('67570000002')
    assert.equal((await mary.dial('*123#')).text, T1_MARY)
    assert.equal((await mary.answer('1')).text, T3)
    await mary.hangUp()
    assert.equal((await mary.dial('*123*3#')).text, T9)
    await mary.hangUp()
  })

  const BY_LANGUAGE: [
    language: string,
    msisdn: string,
    visit: string,
    confirmed: string,
    reminder: string,
    off: string,
  ][] = [
    ['en', '67570000001', 'Cleaning at Koki Dental Clinic on', 'Confirmed', 'Reminder', 'Cancelled'],
    ['tpi', '67570000003', 'Klinim tit long Koki Dental Clinic long', 'Orait', 'Tingim', 'Mipela rausim'],
  ]
  for (const [language, msisdn, visit, confirmed, reminder, off] of BY_LANGUAGE) {
    it(`a booking is confirmed and reminded of by SMS, in the language of the subscriber; the staff cancels it and says so: ${language}`, async function () {
      this.timeout(60_000)
      const said = `${visit} 12/05/2025, 10 AM.`
      const sms = () => smsc.sms.filter(({ to }) => to === msisdn).map(({ text }) => text)
      inDjango(`from datetime import datetime, timezone
Profile.objects.get_or_create(msisdn='${msisdn}', defaults={'name': 'Ana'})
Profile.objects.filter(msisdn='${msisdn}').update(language='${language}')
Slot.objects.get_or_create(clinic_id='koki', type_id='cleaning', starts_at=datetime(2025, 5, 12, 0, 0, tzinfo=timezone.utc))`)
      smsc.sms.length = 0
      const phone = smsc.phone(msisdn)
      await phone.dial('*123*2*1#')
      await phone.answer('1')
      await phone.answer('1')
      await phone.hangUp()
      await until(() => Promise.resolve(sms().length === 1), 'the confirmation')
      assert.deepEqual(sms(), [`${confirmed}: ${said}`])
      const due = () =>
        staged.knex('sms_outbox').where({ state: 'due', owner: 'token:dental', msisdn }).orderBy('id', 'desc')
      const [soon, day] = await due()
      const ms = day.due_at.getTime() + 1_000 - today
      today += ms
      await leaveEarlier(staged.knex, ms)
      await until(() => Promise.resolve(sms().length === 2), 'the reminder of the day before')
      assert.equal(sms()[1], `${reminder}: ${said}`)
      const told = await besideUs(`from django.contrib.auth.models import User
from django.test import Client
User.objects.filter(username='staff').delete()
User.objects.create_superuser('staff', '', 'x')
staff = Client(HTTP_HOST='127.0.0.1')
staff.force_login(User.objects.get(username='staff'))
visit = Appointment.objects.filter(msisdn='${msisdn}', status='booked', slot__type='cleaning').latest('id')
page = staff.post('/admin/dental/appointment/', {'action': 'cancel_visits', '_selected_action': [visit.id]}, follow=True)
print(page.status_code, 'is cancelled, and the subscriber is told' in page.content.decode(), Appointment.objects.get(pk=visit.id).status)`)
      assert.equal(told, '200 True cancelled')
      await until(() => Promise.resolve(sms().length === 3), 'the SMS of the staff')
      assert.equal(sms()[2], `${off}: ${said}`)
      const states = async (id: string) => (await staged.knex('sms_outbox').where({ id })).map(({ state }) => state)
      assert.deepEqual(await states(soon.id), ['cancelled'], 'no reminder is left')
      today = FROZEN
    })
  }

  it('what the staff changes is on the next screen, without a restart of anything', async function () {
    const mary = smsc.phone('67570000002')
    assert.match((await mary.dial('*123*2*3#')).text, /^No Filling slots available\./)
    inDjango(`from datetime import datetime, timezone
Clinic.objects.filter(pk='gerehu').update(name='Gerehu Smiles')
Slot.objects.create(clinic_id='gerehu', type_id='filling', starts_at=datetime(2025, 5, 20, 4, 30, tzinfo=timezone.utc))`)
    await mary.answer('1')
    assert.equal(
      (await mary.answer('3')).text,
      'Available Filling Slots:\n1. Gerehu Smiles (20/05/2025, 2:30 PM)\n2. Back',
    )
    await mary.hangUp()
  })

  it("a slot held by a dialogue is nobody else's, and free again when that dialogue is over", async function () {
    const [mary, john] = [smsc.phone('67570000002'), smsc.phone('67570000001')]
    await mary.dial('*123*2*3#')
    assert.match((await mary.answer('1')).text, /^Book Filling at Gerehu Smiles/)
    assert.match((await john.dial('*123*2*3#')).text, /^No Filling slots/)
    await mary.hangUp()
    await until(() => Promise.resolve(inDjango('print(Hold.objects.count())') === '0'), 'the hold stays')
    await john.hangUp()
    assert.match((await john.dial('*123*2*3#')).text, /^Available Filling Slots:/)
    await john.hangUp()
  })

  it('a call repeated with its key books once; a wrong token, body or operation is told', async () => {
    const call = (operation: string, body: unknown, headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${port}/ussd/${operation}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { authorization: 'Bearer a token', 'idempotency-key': 'e9:1:1', ...headers },
      })
    const slot = Number(inDjango("print(Slot.objects.get(type='filling').id)"))
    const wish = { msisdn: '67570000002', language: 'en', line: 'test', epoch: 'e9', args: { slot } }
    const first = await (await call('book', wish)).json()
    assert.deepEqual(await (await call('book', wish)).json(), first)
    const other = await call('book', { ...wish, msisdn: '67570000001' }, { 'idempotency-key': 'e10:1:1' })
    assert.deepEqual([other.status, await other.json()], [409, { refusal: 'slot-taken' }])
    assert.equal((await call('book', wish, { authorization: 'Bearer no' })).status, 401)
    assert.equal((await call('profile', { msisdn: 'x' })).status, 400)
    assert.equal((await call('nonsense', wish)).status, 404)
  })

  it('while Django is away the subscriber reads it, and dials again when it is back', async function () {
    this.timeout(60_000)
    const john = smsc.phone('67570000001')
    await stopDjango()
    const screen = await john.dial('*123#')
    assert.deepEqual([screen.text, screen.end], [BUSY, true])
    await startDjango()
    await until(
      async () => {
        const again = await john.dial('*123#')
        if (!again.end) await john.hangUp()
        return again.text === T1
      },
      'not served again',
      30_000,
    )
  })
})
