import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tokenHash } from '../../../src/admin/access.ts'
import {
  canaryCommand,
  diffCommand,
  listRevisions,
  publishCommand,
  recallCommand,
  rollbackCommand,
  statusCommand,
} from '../../../src/cli/flows/releases.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'
import { ALL_ROLES } from '../../support/tokens.ts'

const TOKENS = { read: 'reading-token-of-a-test', operate: 'operating-token-of-a-test' }
const TESTER = '67579999999'

const flow = (price: string) => `flow: prices
spec: 1
start: main
languages: [en, tpi]
screens:
  main: { menu: 'Rice ${price}', choices: [{ label: Buy, to: bought }, { label: Tok Pisin, to: pisin }] }
  pisin: { set: { language: tpi }, to: main }
  bought: { end: 'Bought for ${price}' }
`

/** Dialogues are counted every 15 seconds, and the count comes with the next heartbeat. */
const COUNTED_MS = 40_000

describeWith(['redis', 'postgres'], 'flow revisions of several daemons', () => {
  const stage = newStage()
  const folder = mkdtempSync(join(tmpdir(), 'ussd-releases-'))
  const drafts = mkdtempSync(join(tmpdir(), 'ussd-drafts-'))
  const draft = join(drafts, 'prices.yaml')
  const smscs: Smsc[] = []
  const daemons: Staged[] = []
  const tokens = join(drafts, 'tokens')
  const options = (which: 0 | 1 = 0, role: keyof typeof TOKENS = 'operate') => ({
    url: `http://127.0.0.1:${daemons[which]!.daemon.admin.port}`,
    tokenFile: join(drafts, role),
  })
  const decide = <More extends object>(more: More = {} as More) => ({ ...options(), reason: '', ...more })
  const ask = (path: string, body?: object) =>
    fetch(`${options().url}${path}`, {
      headers: { authorization: `Bearer ${TOKENS.operate}` },
      ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
    })
  const saying = async (run: (say: (text: string) => void) => Promise<void>) => {
    const said: string[] = []
    await run((text) => said.push(text))
    return said.join('\n')
  }
  const revisionOf = async (text: string) => {
    writeFileSync(draft, text)
    return compileFlow(await sourceOf(drafts, 'prices')).flow.revision
  }
  const start = async (which: number) => {
    daemons[which] = await stageDaemon({
      smscPort: smscs[which]!.port,
      with: { ...stage, data: join(stage.data, String(which)) },
      change: (settings) => {
        settings.flows = { dir: folder, reloadMs: 50, publish: 'released', plugins: [], testers: [TESTER] }
        settings.services = [{ code: '*200#', flow: 'prices' }]
        settings.lines[0]!.timers.reconnectMs = 50
        settings.lines[0]!.name = `smsc-${which}`
        settings.stopMs = 0
        settings.admin.tokensFile = tokens
      },
    })
    await smscs[which]!.bound(1)
  }
  /** What each daemon gives to a new dial. */
  const dialled = async (which: 0 | 1, msisdn: string) => {
    const phone = smscs[which]!.phone(msisdn)
    const { text } = await phone.dial('*200#')
    phone.hangUp()
    return text.split('\n')[0]
  }
  const bothServe = (revision: string) =>
    until(
      async () =>
        (await Promise.all(daemons.map((one) => one.daemon.readiness()))).every((state) =>
          JSON.stringify(state.parts.flows).includes(revision),
        ),
      `not both serve ${revision}`,
    )

  before(async () => {
    const line = (role: keyof typeof TOKENS) =>
      `${role === 'operate' ? ALL_ROLES : role}:${tokenHash(TOKENS[role]).toString('hex')} ${role}er`
    writeFileSync(tokens, `${line('read')}\n${line('operate')}\n`, { mode: 0o600 })
    for (const role of ['read', 'operate'] as const) writeFileSync(join(drafts, role), TOKENS[role], { mode: 0o600 })
    writeFileSync(join(folder, 'prices.yaml'), flow('K10'))
    for (const which of [0, 1]) {
      smscs[which] = await startSmsc({ clock: realClock, chance: Math.random })
      await start(which)
    }
  })
  after(async () => {
    await daemons[0]?.daemon.stores.knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    for (const staged of daemons) await staged.close()
    for (const smsc of smscs) await smsc.stop()
    for (const path of [folder, drafts, stage.data]) rmSync(path, { recursive: true, force: true })
  })

  it('publish refuses a broken flow with line and column, and what only walking finds; nothing changes', async () => {
    writeFileSync(draft, flow('K11').replace('to: bought', 'to: bougth'))
    await assert.rejects(
      publishCommand(draft, decide(), () => undefined),
      /422: .*\n +prices\.yaml:6:\d+: .*'bougth'.*did you mean 'bought'/,
    )
    const deadEnd =
      "pisin: { set: { flag: 'no' }, to: more }\n  more: { menu: More, choices: [{ label: Buy, to: bought, when: vars.flag == yes }] }"
    writeFileSync(draft, flow('K11').replace('pisin: { set: { language: tpi }, to: main }', deadEnd))
    await assert.rejects(
      publishCommand(draft, decide(), () => undefined),
      /422: .*\n +prices\.yaml:8:\d+: screen 'more': no key leads on from here/,
    )
    writeFileSync(draft, flow('K11').replace('flow: prices', 'flow: other'))
    await assert.rejects(
      publishCommand(draft, decide(), () => undefined),
      /422: .*'other', not 'prices'/,
    )
    assert.equal(await dialled(0, '67570000001'), 'Rice K10')
  })

  it('publish goes live in all daemons; a dialogue under way stays; the files change nothing', async () => {
    const early = smscs[1]!.phone('67570000002')
    await early.dial('*200#')
    const revision = await revisionOf(flow('K12'))
    const said = await saying((say) => publishCommand(draft, decide({ reason: 'rice is dearer' }), say))
    assert.match(said, new RegExp(`^prices@[0-9a-f]{12} -> ${revision}$`))
    await bothServe(revision)
    assert.deepEqual([await dialled(0, '67570000001'), await dialled(1, '67570000001')], ['Rice K12', 'Rice K12'])
    assert.equal((await early.answer('1')).text, 'Bought for K10')
    writeFileSync(join(folder, 'prices.yaml'), flow('K99'))
    await daemons[1]!.close()
    await start(1)
    assert.equal(await dialled(1, '67570000001'), 'Rice K12', 'also after a restart')
    writeFileSync(join(folder, 'prices.yaml'), flow('K10'))
  })

  it('status and list tell what stands, who decided, and how many dialogues are on what', async function () {
    this.timeout(COUNTED_MS + 10_000)
    const waiting = smscs[0]!.phone('67570000003')
    await waiting.dial('*200#')
    const status = await saying((say) => statusCommand(options(0, 'read'), say))
    assert.match(
      status,
      /^FLOW +SERVES +TRIAL +FILE +DECIDED +BY\nprices +prices@\w+ +- +prices@\w+ +\S+ \S+Z +operateer: rice is dearer$/,
    )
    const list = () => saying((say) => listRevisions('prices', options(0, 'read'), say))
    const isCounted = async () => / active +1 .*\n[^]*dialogues were counted (now|\d+ s ago)$/.test(await list())
    await until(isCounted, 'not counted', COUNTED_MS)
    assert.match(
      await list(),
      /^REVISION +IS +OPEN +SINCE +BY\nprices@[^]*^prices@\w+ {2}active +1 +served .* operateer: rice is dearer$/m,
    )
    waiting.hangUp()
    await assert.rejects(
      listRevisions('nothing', options(), () => undefined),
      /404/,
    )
  })

  it('diff shows the screens that a subscriber would see changed, and the lines', async () => {
    const inForce = await revisionOf(flow('K12'))
    writeFileSync(draft, flow('K13').replace('  bought:', '  # dearer still\n  bought:'))
    const said = await saying((say) => diffCommand(inForce, draft, options(0, 'read'), say))
    assert.match(said, /^screen main \(en\)\n {2}- Rice K12\n {2}- 1\. Buy\n/)
    assert.match(said, /\n {2}\+ Rice K13\n/)
    assert.match(said, /screen bought \(tpi\)\n/)
    assert.match(said, /4 screens changed for subscribers/)
    assert.match(said, /^\+ {2}# dearer still$/m)
    assert.match(await saying((say) => diffCommand(draft, draft, options(), say)), /^0 screens/)
    const renamed = join(drafts, 'prices-of-june.yaml')
    writeFileSync(renamed, flow('K13').replace('  bought:', '  # dearer still, in June\n  bought:'))
    const json = await saying((say) => diffCommand(draft, renamed, { ...options(), json: true }, say))
    const { screens, patches } = JSON.parse(json) as { screens: unknown[]; patches: { file: string; patch: string }[] }
    assert.deepEqual([screens, patches.map(({ file }) => file)], [[], ['prices-of-june.yaml']])
    assert.match(patches[0]!.patch, /\n-  # dearer still\n\+  # dearer still, in June\n/)
    rmSync(renamed)
    await assert.rejects(
      diffCommand(inForce, 'prices@000000000000', options(), () => undefined),
      /404/,
    )
  })

  it('a trial is for its share and the testers, in all daemons, until it is published or over', async () => {
    const revision = await revisionOf(flow('K14'))
    assert.match(
      await saying((say) => publishCommand(draft, decide({ share: 0 }), say)),
      new RegExp(`\\(trial ${revision} 0 %\\)$`),
    )
    await until(async () => (await dialled(1, TESTER)) === 'Rice K14', 'the tester is not in the trial')
    assert.equal(await dialled(1, '67570000001'), 'Rice K12')
    await canaryCommand(revision, decide({ share: 100 }), () => undefined)
    await until(async () => (await dialled(1, '67570000001')) === 'Rice K14', 'the share did not grow')
    await canaryCommand('prices', decide({ end: true }), () => undefined)
    await until(async () => (await dialled(1, '67570000001')) === 'Rice K12', 'the trial is not over')
    await assert.rejects(
      canaryCommand('prices', decide({ end: true }), () => undefined),
      /409.*no trial/,
    )
    await assert.rejects(
      canaryCommand('prices', decide(), () => undefined),
      /--share/,
    )
    await publishCommand(revision, decide(), () => undefined)
    await bothServe(revision)
    await assert.rejects(
      canaryCommand(revision, decide({ share: 5 }), () => undefined),
      /409.*serves all subscribers already/,
    )
  })

  it('rollback gives back what served before, in all daemons', async () => {
    const [was, bad] = [await revisionOf(flow('K12')), await revisionOf(flow('K14'))]
    assert.equal(await saying((say) => rollbackCommand('prices', decide(), say)), `${bad} -> ${was}`)
    await bothServe(was)
    assert.equal(await dialled(1, '67570000001'), 'Rice K12')
    await assert.rejects(
      rollbackCommand(was, decide(), () => undefined),
      /409.*in force already/,
    )
    await assert.rejects(
      rollbackCommand('prices@000000000000', decide(), () => undefined),
      /404/,
    )
    await assert.rejects(
      rollbackCommand('nothing', decide(), () => undefined),
      /404/,
    )
    await assert.rejects(
      rollbackCommand('prices', { ...options(0, 'read'), reason: '' }, () => undefined),
      /403/,
    )
  })

  it('recall ends the dialogues of a revision with its words, in their language, wherever their next key goes', async function () {
    this.timeout(COUNTED_MS + 10_000)
    const [good, bad] = [await revisionOf(flow('K12')), await revisionOf(flow('K14'))]
    await assert.rejects(
      recallCommand(good, decide({ text: ['x'] }), () => undefined),
      /409.*roll back first/,
    )
    await publishCommand(bad, decide(), () => undefined)
    await bothServe(bad)
    const [john, mary] = [smscs[1]!.phone('67570000011'), smscs[1]!.phone('67570000012')]
    await john.dial('*200#')
    await mary.dial('*200#')
    await mary.answer('2')
    await rollbackCommand(good, decide(), () => undefined)
    await bothServe(good)
    const said = await saying((say) =>
      recallCommand(bad, decide({ text: ['Wrong prices. Dial again.', 'tpi=Prais i kranki.'] }), say),
    )
    const its = '(its open dialogues|\\d open dialogues( \\(counted \\d+ s ago\\))?) end'
    assert.match(said, new RegExp(`^${bad} is recalled: ${its} at their next turn; new dials get ${good}$`))
    const known = async () => (await saying((say) => statusCommand(options(1), say))).includes(`recalled ${bad}`)
    await until(known, 'the other daemon does not know')
    const list = () => saying((say) => listRevisions('prices', options(), say))
    await until(async () => new RegExp(`^${bad}  recalled +2 `, 'm').test(await list()), 'not counted', COUNTED_MS)
    assert.deepEqual(
      [await john.answer('1'), await mary.answer('1')].map(({ text, open }) => [text, open]),
      [
        ['Wrong prices. Dial again.', false],
        ['Prais i kranki.', false],
      ],
    )
    assert.equal(await daemons[1]!.daemon.metrics.value('flow_ends_total', { revision: bad, reason: 'recalled' }), 2)
    assert.equal(await dialled(1, '67570000011'), 'Rice K12')
    await assert.rejects(
      canaryCommand(bad, decide({ share: 5 }), () => undefined),
      /409.*was recalled/,
    )
    await assert.rejects(
      recallCommand(bad, decide({ text: [`en=${'x'.repeat(200)}`] }), () => undefined),
      /400/,
    )
    await assert.rejects(
      recallCommand(bad, decide({ text: ['fr=Non'] }), () => undefined),
      /422.*has no texts in 'fr'/,
    )
    await publishCommand(bad, decide({ reason: 'it was right after all' }), () => undefined)
    await bothServe(bad)
    assert.equal(await dialled(1, '67570000011'), 'Rice K14')
  })

  it('requests that make no sense are refused, and all is written down', async () => {
    for (const [path, body, status] of [
      ['publish', {}, 400],
      ['publish', { revision: 'prices@zz' }, 400],
      ['rollback', { revision: 5 }, 400],
      ['canary', { revision: null, share: 101 }, 400],
      ['recall', { revision: 'other@000000000000' }, 404],
      ['publish', { revision: 'prices@000000000000' }, 404],
      ['publish', { source: { file: 'x', text: 'x'.repeat(4_100_000) } }, 413],
      ['rollback', { reason: 'x'.repeat(70_000) }, 413],
    ] as const)
      assert.equal(
        (await ask(`/v1/flows/prices/${path}`, body)).status,
        status,
        `${path} ${JSON.stringify(body).slice(0, 60)}`,
      )
    assert.equal((await ask('/v1/flows/UPPER/publish', {})).status, 400)
    const audit = daemons[0]!.logged().filter((line) => line.msg === 'admin audit')
    const rollback = audit.find((line) => line.what === 'flow rollback')!
    assert.equal(rollback.who, 'operateer')
    assert.match(JSON.stringify([rollback.before, rollback.after]), /prices@\w+.*prices@/)
    assert.ok(audit.some((line) => line.what === 'flow recall refused' && line.status === 409))
  })
})
