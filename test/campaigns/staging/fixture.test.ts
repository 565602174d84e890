/** A stray daemon of another run has the port of this one by chance: it must not be served here. */
import assert from 'node:assert/strict'
import { esme } from '../../simulator/esme.ts'
import { describeWith } from '../../support/services.ts'
import { openFixture, type CampaignFixture } from './fixture.ts'
import { settingsOf } from './stage.ts'

describeWith(['redis', 'postgres'], 'the SMSC of a campaign', () => {
  const scenes: CampaignFixture[] = []
  before(async () => {
    for (const seed of [1, 2]) scenes.push(await openFixture({ seed, pace: 'short' }))
  })
  after(async () => {
    for (const scene of scenes) await scene.close()
  })

  it('takes the daemons of its own stage only', async () => {
    const [own, other] = scenes.map(
      ({ stage, smsc }) => settingsOf(stage, { smscPort: smsc.port, adminPort: 0 }).lines[0]!.smsc.password!,
    )
    const statusOf = async (password: string) => {
      const stray = await esme(scenes[0]!.smsc.port)
      try {
        return (await stray.bind('transceiver', 'ussd', password)).status
      } finally {
        stray.end()
      }
    }
    // 0x0E is ESME_RINVPASWD.
    assert.deepEqual([await statusOf(own!), await statusOf(other!)], [0, 0x0e])
  })
})
