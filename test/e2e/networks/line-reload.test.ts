import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { linesCommand } from '../../../src/cli/commands/lines.ts'
import type { Settings } from '../../../src/config/schema.ts'
import type { BindState } from '../../../src/admin/index.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { ID, raw, startPeer, type Peer, type PeerConnection } from '../../support/peer.ts'
import { describeWith, freePort, until } from '../../support/services.ts'
import { ALL_ROLES, letIn } from '../../support/tokens.ts'

const TOKEN = 'operating-token-of-a-test'
const [RIGHT, WRONG] = ['secret', 'sceret']
const [TAKEN, FAILED, BAD_PASSWORD] = [0x05, 0x0d, 0x0e]

describeWith(['redis', 'postgres'], 'a reload with settings that the SMSC does not take', () => {
  let peer: Peer
  let staged: Staged
  /** The settings file, as it would be read now. */
  let file: Settings
  /** Each bind that was asked for. */
  let asked: { password: string; status: number }[]
  let may = {
    binds: 9,
    looksFirst: 'password' as 'password' | 'place',
    tooMany: TAKEN,
    wrong: BAD_PASSWORD,
    passwords: [RIGHT],
  }
  const isHeld = (one: PeerConnection) => !one.closed && held.has(one) && one.all(ID.unbind).length === 0
  const held = new Set<PeerConnection>()
  const standing = () => peer.connections.filter(isHeld)
  const wrongTries = () => asked.filter(({ password }) => password === WRONG).length
  const row = async () => ((await staged.daemon.readiness()).parts.lines as Record<string, BindState[]>).east!
  const reload = async () => {
    const said: string[] = []
    const url = `http://127.0.0.1:${staged.daemon.admin.port}`
    await linesCommand({ url, tokenFile: join(staged.settings.data, 'token'), reload: true }, (text) => said.push(text))
    return said
  }
  const logged = (msg: RegExp) => staged.logged().filter((one) => msg.test(String(one.msg)))
  const answersOn = async (one: PeerConnection) => {
    one.send(raw(ID.enquire, 0, 0x7000))
    await one.heard(ID.response + ID.enquire, one.all(ID.response + ID.enquire).length + 1)
  }

  beforeEach(async function () {
    this.timeout(60_000)
    asked = []
    held.clear()
    may = { binds: 9, looksFirst: 'password', tooMany: TAKEN, wrong: BAD_PASSWORD, passwords: [RIGHT] }
    peer = await startPeer({
      onBind(pdu, connection) {
        const password = pdu.body.toString('latin1').split('\0')[1]!
        const isFull = standing().length >= may.binds
        const isWrong = !may.passwords.includes(password)
        const verdicts = [isWrong ? may.wrong : 0, isFull ? may.tooMany : 0]
        const [first, second] = may.looksFirst === 'password' ? verdicts : verdicts.toReversed()
        const status = first || second!
        asked.push({ password, status })
        if (status === 0) held.add(connection)
        return raw(ID.response + pdu.id, status, pdu.sequence, status ? '' : 'SMSC\0')
      },
    })
    staged = await stageDaemon({
      smscPort: peer.port,
      read: () => structuredClone(file),
      change: (settings) => {
        settings.lines[0]!.name = 'east'
        // Quick enough for a third try to come, if there were one.
        Object.assign(settings.lines[0]!.timers, { reconnectMs: 10, reconnectMaxMs: 20 })
        settings.trace.dropDir = join(settings.data, 'drops')
        letIn(settings, { token: TOKEN, roles: ALL_ROLES, name: 'tester' })
        writeFileSync(join(settings.data, 'token'), TOKEN, { mode: 0o600 })
      },
    })
    file = structuredClone(staged.settings)
  })
  afterEach(async () => {
    await staged.close()
    await peer.stop()
  })

  it('a mistyped password: the old bind never goes, it is tried once, and the command says what is wrong', async () => {
    const [old] = standing()
    file.lines[0]!.smsc.password = WRONG
    await assert.rejects(reload(), (error: Error) => {
      assert.match(error.message, /409: these lines go on with their old settings: east/)
      assert.match(error.message, /east at 127\.0\.0\.1:\d+: wrong-password: 0x0E ESME_RINVPASWD: .*password is wrong/)
      return true
    })
    assert.deepEqual(standing(), [old])
    await answersOn(old!)
    assert.equal(wrongTries(), 1)
    assert.equal(staged.settings.lines[0]!.smsc.password, RIGHT)
    assert.deepEqual(
      (await row()).map(({ state }) => state),
      ['bound'],
    )
    assert.equal(await staged.daemon.metrics.value('line_changes_total', { line: 'east', what: 'refused' }), 1)
    assert.equal(await staged.daemon.metrics.value('line_changes_total', { line: 'east', what: 'changed' }), 0)
    // Mended: the same command takes it.
    may.passwords.push(WRONG)
    assert.deepEqual(await reload(), ['changed  east'])
    await until(() => standing().length === 1 && standing()[0] !== old, 'not taken')
  })

  it('an empty password is taken where the SMSC takes it, and the log warns of it once, with the remedy', async () => {
    const warned = () =>
      logged(/^the password of a line is empty$/).map(({ level, line, remedy }) => [level, line, remedy])
    assert.deepEqual(warned(), [])
    may.passwords.push('')
    file.lines[0]!.smsc.password = ''
    assert.deepEqual(await reload(), ['changed  east'])
    assert.deepEqual(warned(), [['warn', 'east', 'if the operator gave you one, write it into smsc.passwordFile']])
  })

  it('a mistyped password for a line of four binds is one try, too', async () => {
    file.lines[0]!.links = 4
    assert.deepEqual(await reload(), ['changed  east'])
    await until(() => standing().length === 4, 'not four')
    file.lines[0]!.smsc.password = WRONG
    await assert.rejects(reload(), /wrong-password/)
    assert.equal(standing().length, 4)
    assert.equal(wrongTries(), 1)
  })

  for (const looksFirst of ['place', 'password'] as const) {
    it(`where one bind is allowed, and the SMSC looks at the ${looksFirst} first: two tries at most, and the old one serves`, async () => {
      Object.assign(may, { binds: 1, looksFirst })
      const [old] = standing()
      file.lines[0]!.smsc.password = WRONG
      await assert.rejects(reload(), /wrong-password/)
      await until(() => standing().length === 1, 'the old one is not back')
      await until(async () => (await row()).every(({ state }) => state === 'bound'), 'not bound')
      assert.equal(wrongTries(), looksFirst === 'place' ? 2 : 1)
      assert.equal(standing()[0] === old, looksFirst === 'password')
      assert.equal(asked.at(-1)!.password, looksFirst === 'place' ? RIGHT : WRONG)
      assert.equal(staged.settings.lines[0]!.smsc.password, RIGHT)
      await answersOn(standing()[0]!)
    })
  }

  it('where one bind is allowed a good password is taken: the old one makes room, at once', async () => {
    may.binds = 1
    may.passwords.push('another')
    file.lines[0]!.smsc.password = 'another'
    assert.deepEqual(await reload(), ['changed  east'])
    assert.deepEqual(
      asked.map(({ password, status }) => [password, status]),
      [
        [RIGHT, 0],
        ['another', TAKEN],
        ['another', 0],
      ],
    )
    assert.equal(logged(/make room/).length, 1)
  })

  it('an SMSC that says ESME_RBINDFAIL to everything that it does not like: two tries at most, and the old one serves', async () => {
    Object.assign(may, { binds: 1, tooMany: FAILED, wrong: FAILED })
    file.lines[0]!.smsc.password = WRONG
    await assert.rejects(reload(), /bind-failed: 0x0D ESME_RBINDFAIL: either the SMSC/)
    await until(async () => (await row()).every(({ state }) => state === 'bound'), 'not bound')
    assert.equal(wrongTries(), 2)
    may.passwords.push('another')
    file.lines[0]!.smsc.password = 'another'
    assert.deepEqual(await reload(), ['changed  east'])
  })

  it('a mistyped port or host: the old bind never goes', async () => {
    const [old] = standing()
    file.lines[0]!.smsc.port = await freePort()
    await assert.rejects(reload(), /connection-refused: ECONNREFUSED: nothing listens there/)
    file.lines[0]!.smsc.host = 'no-such-host.invalid'
    await assert.rejects(reload(), /unresolvable/)
    assert.deepEqual(standing(), [old])
    await answersOn(old!)
    assert.equal(staged.settings.lines[0]!.smsc.port, peer.port)
  })

  it('leaves no trace of a dropped line, taken or not; a drop of the new one does', async () => {
    const traces = () => (existsSync(staged.settings.trace.dropDir!) ? readdirSync(staged.settings.trace.dropDir!) : [])
    file.lines[0]!.smsc.password = WRONG
    await assert.rejects(reload(), /wrong-password/)
    file.lines[0]!.smsc.password = RIGHT
    file.lines[0]!.window = 5
    assert.deepEqual(await reload(), ['changed  east'])
    await until(() => standing().length === 1, 'the old one stays')
    standing()[0]!.socket.destroy()
    await until(() => logged(/its trace is kept/).length > 0, 'no trace')
    assert.equal(traces().length, 1)
  })

  it('says of the other lines what came of them', async () => {
    file.lines.push({ ...structuredClone(file.lines[0]!), name: 'west' })
    file.lines[0]!.smsc.password = WRONG
    await assert.rejects(reload(), /wrong-password.*\n +added: west/)
    await until(() => standing().length === 2, 'west is not bound')
  })

  it('by SIGHUP: an error in the log with the remedy, and nothing else is loud', async () => {
    file.lines[0]!.smsc.password = WRONG
    await staged.daemon.reload()
    await until(() => logged(/cannot bind with its new settings/).length === 1, 'not said')
    const [said] = logged(/cannot bind with its new settings/)
    assert.deepEqual([said!.level, said!.line, said!.why], ['error', 'east', 'wrong-password'])
    assert.equal(staged.logged().filter(({ level, bind }) => bind !== undefined && level === 'error').length, 0)
    assert.ok(!JSON.stringify(staged.logged()).includes(WRONG))
  })

  it('neither is bound: the new settings are in force, and go on being tried', async () => {
    const port = peer.port
    await peer.stop()
    await until(async () => (await row())[0]!.tries !== undefined && (await row())[0]!.tries! > 0, 'still bound')
    file.lines[0]!.window = 7
    assert.deepEqual(await reload(), ['changed  east'])
    assert.equal(logged(/changed, but not bound yet/).length, 1)
    peer = await startPeer({}, port)
    await until(async () => (await row()).some(({ state }) => state === 'bound'), 'not bound')
  })

  it('taken back, replaced or stopped while it is tried: what was asked for last holds', async () => {
    may.binds = 1
    may.looksFirst = 'place'
    const good = structuredClone(file)
    file.lines[0]!.smsc.password = WRONG
    await staged.daemon.reload()
    file = structuredClone(good)
    await staged.daemon.reload()
    await until(
      async () => (await row()).length === 1 && (await row())[0]!.state === 'bound',
      'the old one does not serve',
    )
    for (const window of [5, 6, 7]) {
      file.lines[0]!.window = window
      await staged.daemon.reload()
    }
    assert.equal(staged.settings.lines[0]!.window, 7)
    await until(
      async () => (await row()).length === 1 && (await row())[0]!.state === 'bound' && standing().length === 1,
      'not one',
    )
    file.lines[0]!.window = 8
    await staged.daemon.reload()
    const url = `http://127.0.0.1:${staged.daemon.admin.port}`
    await linesCommand({ url, tokenFile: join(staged.settings.data, 'token'), stop: 'east' }, () => undefined)
    await until(() => standing().length === 0, 'still bound')
    await linesCommand({ url, tokenFile: join(staged.settings.data, 'token'), start: 'east' }, () => undefined)
    await until(() => standing().length === 1, 'not bound')
    assert.equal(staged.settings.lines[0]!.window, 8)
    assert.ok(wrongTries() <= 2)
    assert.deepEqual(await reload(), ['kept     east'])
  })
})
