/** What a daemon loads until it serves: the start is as long as that. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSmsc } from '../../src/simulator/smsc/smsc.ts'
import { realClock } from '../support/clock.ts'
import { newStage, settingsFor, stageTables } from '../support/daemon.ts'
import { filesIn } from '../support/loaded.ts'
import { bound, COMPILED_CLI, runProcess } from '../support/process.ts'
import { describeWith } from '../support/services.ts'

/** Rooms that a daemon enters only for what an operator asks of it. */
const ELSEWHERE = /^src\/(simulator|flow\/(draw|explore|talk)|tools\/(doctor|flow-import|infer))\//

describeWith(['redis', 'postgres'], 'a daemon that starts', function () {
  this.timeout(120_000)

  it('loads no embedded database, no HTTP client, and no tool of the command line', async () => {
    const stage = newStage()
    const coverage = mkdtempSync(join(tmpdir(), 'ussd-loaded-'))
    const knex = await stageTables(stage)
    const smsc = await startSmsc({ clock: realClock, chance: Math.random })
    try {
      const settings = settingsFor({ smscPort: smsc.port }, stage)
      // From the sources, which the lists below name.
      const daemon = runProcess(settings, stage.data, { NODE_V8_COVERAGE: coverage, [COMPILED_CLI]: '' })
      await bound(daemon, smsc)
      daemon.kill('SIGTERM')
      assert.equal(await daemon.exited, 0, daemon.output().join('\n'))
      const { own, packages } = filesIn(coverage)
      assert.ok(own.includes('src/daemon/daemon.ts'))
      assert.deepEqual(
        own.filter((file) => ELSEWHERE.test(file)),
        [],
      )
      assert.deepEqual(
        packages.filter((name) => ['@electric-sql/pglite', 'undici', 'diff', '@dagrejs/dagre'].includes(name)),
        [],
      )
    } finally {
      await smsc.stop()
      await knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
      await knex.destroy()
      for (const folder of [coverage, stage.data]) rmSync(folder, { recursive: true, force: true })
    }
  })
})
