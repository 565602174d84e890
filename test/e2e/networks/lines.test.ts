import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { linesCommand } from '../../../src/cli/commands/lines.ts'
import { parseSettings } from '../../../src/config/load.ts'
import type { Settings } from '../../../src/config/schema.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { networkCodingOf } from '../../../src/simulator/network/by-name.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { FAREWELL, T1, T1_MARY, T4, T5 } from '../../support/screens.ts'
import { describeWith, until } from '../../support/services.ts'
import { root } from '../../style/tree.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const [JOHN, MARY] = ['67570000001', '67570000002']
const TOKEN = 'operating-token-of-a-test'

describeWith(['redis', 'postgres'], 'lines that come, change and go while the daemon runs', () => {
  let [east, west, south]: Smsc[] = []
  let staged: Staged
  /** The settings file, as it would be read now. */
  let file: Settings
  let url: string
  const line = (name: string, smsc: Smsc, more: object = {}) => ({
    ...structuredClone(staged.settings.lines[0]!),
    ...more,
    name,
    smsc: { ...staged.settings.lines[0]!.smsc, port: smsc.port },
  })
  const states = () => staged.daemon.readiness().then(({ parts }) => parts.lines as Record<string, { state: string }[]>)
  const bound = async (name: string) => (await states())[name]?.filter(({ state }) => state === 'bound').length ?? 0
  const post = (path: string) =>
    fetch(`${url}${path}`, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } })

  before(async function () {
    // What crosses an unbind gets a temporary error: they deliver it again.
    const start = () => startSmsc({ clock: realClock, chance: Math.random, deliveries: { temporaryMs: 20 } })
    ;[east, west] = [await start(), await start()]
    south = await startSmsc({
      clock: realClock,
      chance: Math.random,
      coding: networkCodingOf('mica', join(root, 'dialects')),
    })
    staged = await stageDaemon({
      smscPort: east!.port,
      read: () => structuredClone(file),
      change: (settings) => {
        settings.lines[0]!.name = 'east'
        settings.lines[0]!.timers.reconnectMs = 50
        // Twenty subscribers at once get the busy text where their turns wait a second for a connection.
        Object.assign(settings.postgres, { poolMax: 20 })
        letIn(settings, { token: TOKEN, roles: ALL_ROLES, name: 'tester' })
        writeFileSync(join(settings.data, 'token'), TOKEN, { mode: 0o600 })
      },
    })
    file = structuredClone(staged.settings)
    url = `http://127.0.0.1:${staged.daemon.admin.port}`
    await east!.bound(1)
  })
  after(async () => {
    await staged?.close()
    await Promise.all([east, west, south].map((smsc) => smsc?.stop()))
  })

  it('a line is added, in a dialect of its own; the one that was there keeps its bind and its dialogue', async () => {
    const john = east!.phone(JOHN)
    assert.equal((await john.dial('*123#')).text, T1)
    const before = east!.binds()[0]!.id
    file.lines = [file.lines[0]!, line('south', south!, { dialect: 'mica' })]
    assert.deepEqual(await staged.daemon.reload(), {
      added: ['south'],
      changed: [],
      rebound: [],
      removed: [],
      kept: ['east'],
      applied: [],
      needRestart: [],
      problems: [],
    })
    await south!.bound(1)
    const mary = south!.phone(MARY)
    assert.equal((await mary.dial('*123#')).text, T1_MARY)
    assert.equal((await mary.answer('4')).text, FAREWELL)
    assert.equal((await john.answer('2')).text, T4)
    assert.equal(east!.binds()[0]!.id, before)
  })

  it('a capture of a line has the port of its own SMSC, whenever it came, and Wireshark reads it without being told', async function () {
    for (const [name, smsc] of [
      ['east', east!],
      ['south', south!],
    ] as const) {
      const answer = await fetch(`${url}/v1/lines/${name}/trace`, { headers: { authorization: `Bearer ${TOKEN}` } })
      const capture = join(staged.settings.data, `${name}.pcap`)
      writeFileSync(capture, Buffer.from(await answer.arrayBuffer()))
      const fields = ['tcp.srcport', 'tcp.dstport'].flatMap((field) => ['-e', field])
      const ran = spawnSync('tshark', ['-n', '-r', capture, '-Y', 'smpp', '-T', 'fields', ...fields], {
        encoding: 'utf8',
      })
      if (ran.error) return this.skip() // no tshark on this machine
      const ports = ran.stdout
        .trim()
        .split('\n')
        .map((row) => row.split('\t').map(Number))
      assert.ok(ports.length > 4, ran.stdout + ran.stderr)
      assert.ok(
        ports.every((pair) => pair.includes(smsc.port)),
        `${name}: ${ports.join(' ')}`,
      )
    }
  }).timeout(60_000)

  it('a changed line binds anew before its old bind goes, and a dialogue goes on over the change', async () => {
    const john = east!.phone(JOHN)
    const before = east!.binds()[0]!.id
    let least = 9
    const unwatch = east!.watch(() => {
      least = Math.min(least, east!.binds().length)
    })
    file.lines[0]!.window = 20
    assert.deepEqual((await staged.daemon.reload()).changed, ['east'])
    await until(() => east!.binds().length === 1 && east!.binds()[0]!.id !== before, 'the old bind stays')
    unwatch()
    assert.equal(least, 1, 'never without a bind')
    assert.equal((await john.answer('2')).text, T5)
    assert.deepEqual(await staged.daemon.reload(), {
      added: [],
      changed: [],
      rebound: [],
      removed: [],
      kept: ['east', 'south'],
      applied: [],
      needRestart: [],
      problems: [],
    })
  })

  it('a cap of a line comes, changes without another bind, is shown, and goes', async () => {
    const said: string[] = []
    const shown = async () => {
      said.length = 0
      await linesCommand({ url, tokenFile: join(staged.settings.data, 'token') }, (text) => said.push(text))
      return said.filter((row) => row.includes('a second'))
    }
    assert.deepEqual(await shown(), [])
    const first = east!.binds()[0]!.id
    file.lines[0]!.submits = { perSecond: 50, ussdShare: 0.1 }
    assert.deepEqual((await staged.daemon.reload()).changed, ['east'])
    await until(() => east!.binds().length === 1 && east!.binds()[0]!.id !== first, 'no bind with the cap')
    const bind = east!.binds()[0]!.id
    assert.deepEqual(await shown(), [
      `east in ${staged.daemon.name}: at most 50 a second; share of this daemon 0; sent 0, waiting 0`,
    ])
    const john = east!.phone(JOHN)
    assert.equal((await john.dial('*123#')).text, T1)
    assert.equal((await shown()).length, 1)
    // What was sent is shown for a second: a slow machine looks too late, and another screen is sent.
    const isShown = () => /at most 50 a second; share of this daemon [1-9]\d*; sent 1, waiting 0/.test(said.join('\n'))
    for (let looks = 0; !isShown() && looks < 20; looks++) {
      assert.equal((await john.answer(looks % 2 ? '4' : '2')).text, looks % 2 ? T1 : T4)
      await shown()
    }
    assert.ok(isShown(), said.join('\n'))
    if (john.screen?.text === T4) await john.answer('4')
    file.lines[0]!.submits = { perSecond: 20, ussdShare: 0.1 }
    assert.deepEqual(await staged.daemon.reload(), {
      added: [],
      changed: ['east'],
      rebound: [],
      removed: [],
      kept: ['south'],
      applied: [],
      needRestart: [],
      problems: [],
    })
    assert.match((await shown())[0]!, /at most 20 a second/)
    assert.equal(east!.binds()[0]!.id, bind)
    const row = /smpp_cap\{line="east"\} 20/
    assert.match(await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).text(), row)
    file.lines[0]!.submits = { ussdShare: 0.1 }
    assert.deepEqual((await staged.daemon.reload()).changed, ['east'])
    await until(() => east!.binds().length === 1 && east!.binds()[0]!.id !== bind, 'no bind without the cap')
    assert.deepEqual(await shown(), [])
    assert.equal((await john.answer('2')).text, T4)
    john.hangUp()
  })

  it('who may dial, how numbers are read, the dialect and SMS change under a dialogue, and the bind stays', async () => {
    const before = structuredClone(file)
    const bind = east!.binds()[0]!.id
    const john = east!.phone(JOHN)
    assert.equal((await john.dial('*123#')).text, T1)
    file.lines[0]!.msisdn.deny = [JOHN]
    file.lines[0]!.sms = { ...file.lines[0]!.sms!, source: '456', perSecond: 7 }
    const { changed, rebound } = await staged.daemon.reload()
    assert.deepEqual([changed, rebound], [['east'], []])
    assert.equal((await john.answer('2')).text, T4, 'an open dialogue goes on')
    assert.equal((await john.dial('*123#')).text, 'This service is not available.')
    file.lines[0]!.msisdn.deny = []
    assert.deepEqual((await staged.daemon.reload()).changed, ['east'])
    assert.equal((await john.dial('*123#')).text, T1)
    const mine = join(staged.settings.data, 'shorter.yaml')
    writeFileSync(
      mine,
      stringify({
        name: 'shorter',
        extends: 'standard',
        seen: 'here',
        confidence: 'sample',
        limits: { septets: 60, octets: 60 },
      }),
    )
    file.lines[0]!.dialect = mine
    assert.deepEqual((await staged.daemon.reload()).rebound, [])
    const next = (await john.answer('2')).text
    assert.notEqual(next, T4)
    assert.ok(next.length <= 60, next)
    assert.equal(east!.binds()[0]!.id, bind, 'the bind stayed')
    file = before
    assert.deepEqual((await staged.daemon.reload()).changed, ['east'])
    john.hangUp()
  })

  it('a line may move to another SMSC', async () => {
    file.lines[0]!.smsc.port = west!.port
    await staged.daemon.reload()
    await west!.bound(1)
    await until(() => east!.binds().length === 0, 'still bound to the old one')
    const mary = west!.phone(MARY)
    assert.equal((await mary.dial('*123#')).text, T1_MARY)
    mary.hangUp()
  })

  it('a broken file, profile or certificate changes nothing and says what is wrong; other keys wait for a restart', async () => {
    const good = structuredClone(file)
    const broken = async (change: () => void, says: RegExp) => {
      change()
      await assert.rejects(staged.daemon.reload(), says)
      file = structuredClone(good)
    }
    await broken(() => (file.lines[1]!.dialect = 'micca'), /micca/)
    await broken(
      () => (file.lines[1]!.smsc.tls = { ca: '/nowhere/ca.pem' }),
      /smsc\.tls: \/nowhere\/ca\.pem cannot be read/,
    )
    await broken(() => (file.lines[1]!.timers.responseMs = 500_000), /south\.timers\.responseMs.*leaseMs.*restart/s)
    assert.throws(
      () =>
        parseSettings(
          stringify(JSON.parse(JSON.stringify({ ...file, lines: [file.lines[0], file.lines[0]] }))),
          'x',
          {},
        ),
      /two lines/,
    )
    assert.equal(await bound('south'), 1)
    file.stopMs += 1
    file.dialogue.idleMs += 1
    assert.deepEqual(
      (await staged.daemon.reload()).needRestart.map(({ setting }) => setting),
      ['dialogue.idleMs', 'stopMs'],
    )
    file = good
  })

  it('texts and the level of the log change with them', async () => {
    const before = structuredClone(file)
    file.texts.unknownCode = 'There is nothing here.'
    file.log.level = 'warn'
    const { applied, needRestart } = await staged.daemon.reload()
    assert.deepEqual(
      applied.map(({ setting, what, way }) => `${setting} ${what} ${way}`),
      ['texts.unknownCode changed at-once', 'log.level changed at-once'],
    )
    assert.deepEqual(needRestart, [])
    assert.equal((await west!.phone('67570000077').dial('*999#')).text, 'There is nothing here.')
    assert.equal(staged.daemon.log.level, 'warn')
    // The log of a test is read whole.
    file = { ...before, log: { ...before.log, level: 'debug' } }
    await staged.daemon.reload()
    assert.equal(staged.daemon.log.level, 'debug')
  })

  it('is stopped and started over the admin door, with an audit line for each, and lists its binds', async () => {
    const said: string[] = []
    const cli = (options: object) =>
      linesCommand({ url, tokenFile: join(staged.settings.data, 'token'), ...options }, (text) => said.push(text))
    await cli({ stop: 'south' })
    await until(() => south!.binds().length === 0, 'still bound')
    assert.ok(
      said.some((row) => /^south +stopped +\S+ +now +south +mica$/.test(row)),
      said.join('\n'),
    )
    assert.equal((await staged.daemon.reload()).kept.length, 2, 'stays stopped')
    assert.equal((await states()).south!.length, 0)
    await cli({ start: 'south' })
    await south!.bound(1)
    file.lines.pop()
    said.length = 0
    await cli({ reload: true })
    assert.deepEqual(said, ['removed  south', 'kept     east'])
    await until(() => south!.binds().length === 0, 'still bound')
    assert.equal((await post('/v1/lines/south/stop')).status, 404)
    file.lines[0]!.dialect = 'nothing'
    assert.equal((await post('/v1/lines/reload')).status, 409)
    const audits = staged
      .logged()
      .filter((row) => row.msg === 'admin audit')
      .map(({ what }) => what)
    assert.deepEqual(
      audits.filter((what) => what !== 'trace taken'),
      ['line stop', 'line start', 'settings reloaded', 'settings reloaded'],
    )
    assert.deepEqual(await staged.daemon.metrics.value('line_changes_total', { line: 'south', what: 'stopped' }), 1)
  })

  it('under load: keys pressed while a line is replaced again and again all get their screens', async function () {
    this.timeout(60_000)
    file.lines = [line('east', west!)]
    const numbers = Array.from({ length: 20 }, (_, i) => `67573${String(i).padStart(6, '0')}`)
    await staged
      .knex('dental_profile')
      .insert(numbers.map((msisdn) => ({ msisdn, name: 'John', language: 'en', created_at: new Date() })))
    const walking = new Set(numbers)
    const walks = Promise.all(
      numbers.map(async (msisdn) => {
        const phone = west!.phone(msisdn)
        phone.skipRepeats = true
        for (let round = 0; round < 3; round++) {
          assert.equal((await phone.dial('*123#')).text, T1)
          for (const [key, text] of [
            ['2', T4],
            ['4', T1],
            ['2', T4],
            ['2', T5],
            ['3', T4],
            ['4', T1],
            ['4', FAREWELL],
          ] as const) {
            assert.equal((await phone.answer(key)).text, text, phone.story.join('\n'))
          }
        }
        walking.delete(msisdn)
      }),
    )
    for (let window = 11; walking.size > 0 && window < 16; window++) {
      file.lines[0]!.window = window
      await staged.daemon.reload()
      await until(() => west!.binds().length === 1, 'the old bind stays')
    }
    await walks
    assert.equal(await staged.daemon.metrics.value('bugs_total'), 0)
  })
})
