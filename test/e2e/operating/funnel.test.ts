/** Where subscribers leave a flow, told by `flow funnel`, over SMPP: before and after the flow was changed. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FunnelTold } from '../../../src/admin/flow-funnels.ts'
import { testDialCommand } from '../../../src/cli/commands/test-dial.ts'
import { funnelOfFlow, type FunnelOptions } from '../../../src/cli/flows/flow-funnel.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { describeWith, until } from '../../support/services.ts'
import { letIn } from '../../support/tokens.ts'
import { surveyFlow } from '../../support/survey.ts'

for (const embedded of [false, true]) {
  describeWith(
    embedded ? [] : ['redis', 'postgres'],
    `the funnel of a flow${embedded ? ', all embedded' : ''}`,
    function () {
      this.timeout(60_000)
      const folder = mkdtempSync(join(tmpdir(), 'ussd-funnel-'))
      let smsc: Awaited<ReturnType<typeof foreignSmsc>>
      let staged: Staged
      let serial = 0
      const options = () => ({ url: `http://127.0.0.1:${staged.daemon.admin.port}`, tokenFile: join(folder, 'token') })

      before(async () => {
        writeFileSync(join(folder, 'survey.yaml'), surveyFlow('One'))
        writeFileSync(join(folder, 'token'), 'reading-token-of-a-test', { mode: 0o600 })
        smsc = await foreignSmsc()
        staged = await stageDaemon({
          smscPort: smsc.port,
          embedded,
          frozen: false,
          change: (settings) => {
            settings.services = [{ code: '*384#', flow: 'survey' }]
            settings.flows = { ...settings.flows, dir: folder, reloadMs: 50 }
            settings.backends = {}
            letIn(settings, { token: 'reading-token-of-a-test', roles: 'read,operate', name: 'reader' })
          },
        })
      })
      after(async () => {
        await staged?.close()
        smsc?.stop()
        rmSync(folder, { recursive: true, force: true })
      })

      const lines = async (more: Partial<FunnelOptions> = {}) => {
        const said: string[] = []
        await funnelOfFlow('survey', { ...options(), ...more }, (line) => void said.push(line))
        return said
      }
      const told = async (more: Partial<FunnelOptions> = {}) =>
        JSON.parse((await lines({ ...more, json: true })).join('\n')) as FunnelTold
      const counted = (dialogues: number) =>
        until(async () => {
          const all = (await told()).revisions.map((one) => one.dialogues)
          return all.reduce((sum, n) => sum + n, 0) === dialogues
        }, `not ${dialogues} dialogues`)
      /** Dials and presses keys; then it hangs up, unless the flow has ended. */
      const dials = async (...keys: string[]) => {
        const phone = smsc.phone(`6757000${String(++serial).padStart(4, '0')}`)
        await phone.dial('*384#')
        for (const key of keys) await phone.answer(key)
        await phone.hangUp()
      }

      it('is empty before anybody dialled, and unknown of a flow that is not there', async () => {
        assert.match((await lines()).join('\n'), /^survey: no dialogue ended from .* to .* Pacific\/Port_Moresby/)
        await assert.rejects(
          funnelOfFlow('nothing', options(), () => undefined),
          /404: there is no such flow/,
        )
      })

      it('says how many came to each screen, who left there and why, and what they chose', async () => {
        await dials('1', '9', '5')
        await dials('1')
        await dials()
        await counted(3)
        assert.match(
          (await lines()).join('\n'),
          new RegExp(
            String.raw`^survey: dialogues that ended from .*\n` +
              String.raw`survey@\w{12} \(serves new dials\): 3 dialogues: subscriber-abort 67 %, completed 33 %\n\n` +
              String.raw`SCREEN +REACHED +ENDED HERE +HALF / 9 OF 10 ANSWERED +CHOSEN\n` +
              String.raw`main +3 100 % +1 33 %: subscriber-abort 1 +\d+ s / \d+ s +1 Rate us 100 %\n` +
              String.raw`rate +2 67 % +1 50 %: subscriber-abort 1 +\d+ s / \d+ s +typed 100 %\n` +
              String.raw`bye +1 33 % +1 100 %: completed 1 +- +-\n\n` +
              String.raw`subscriber-abort: the subscriber hung up\ncompleted: the flow came to its end$`,
          ),
        )
      })

      it('counts no test dial', async () => {
        await testDialCommand({ line: 'test', code: '*384#' }, options(), () => undefined)
        await until(async () => (await staged.knex('cdr').where({ channel: 'test' })).length === 1, 'no record')
        await counted(3)
      })

      it('has two revisions beside each other, or one of them', async () => {
        const [old] = (await told()).revisions
        writeFileSync(join(folder, 'survey.yaml'), surveyFlow('Two'))
        await until(async () => (await told()).active !== old!.revision, 'the flow is not changed')
        await dials('2')
        await counted(4)
        const both = (await lines()).join('\n')
        assert.match(both, /\nA: survey@\w{12} \(serves new dials\): 1 dialogue: completed 100 %\nB: survey@\w{12}: 3 /)
        assert.match(both, /\nSCREEN +A: REACHED +B: REACHED +A: ENDED HERE +B: ENDED HERE /)
        assert.match(both, /\nmain +1 100 % +3 100 % +- +1 33 %: subscriber-abort 1 /)
        assert.match(both, /\nrate +- +2 67 % /)
        assert.match((await lines({ compare: old!.revision })).join('\n'), new RegExp(`\nA: ${old!.revision}: 3 `))
        assert.match((await lines({ revision: old!.revision })).join('\n'), /\nmain +3 100 % +1 33 %/)
        await assert.rejects(lines({ compare: 'survey@000000000000' }), /no dialogue on survey@000000000000 ended/)
      })

      it('says of a wrong question what is wrong', async () => {
        await assert.rejects(lines({ since: 'yesterday' }), /400: since: 'yesterday' is not a time of day/)
        await assert.rejects(lines({ since: '1h', until: '2h' }), /400: until must be later than since/)
        await assert.rejects(lines({ revision: 'x' }), /400: revision: e\.g\. dental@/)
      })
    },
  )
}
