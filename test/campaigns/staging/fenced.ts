/** One daemon behind fault proxies on all its three sides, for campaigns that take one of them away. */
import type { Settings } from '../../../src/config/schema.ts'
import { freePort } from '../../support/services.ts'
import { isReady, startDaemonProcess, type DaemonProcess } from './daemon-process.ts'
import { reached } from '../judging/outcome.ts'
import { faultProxy, targetOf, through, type FaultProxy } from './proxy.ts'
import { sweepRedis, type CampaignFixture } from './fixture.ts'
import { settingsOf } from './stage.ts'

export interface Fenced {
  daemon: DaemonProcess
  redis: FaultProxy
  postgres: FaultProxy
  smsc: FaultProxy
  adminPort: number
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Started, bound and ready. */
export async function fenced(scene: CampaignFixture, change?: (settings: Settings) => void): Promise<Fenced> {
  const { stage } = scene
  const redis = await faultProxy(targetOf(stage.redis.url!))
  const postgres = await faultProxy(targetOf(stage.postgresUrl))
  const smsc = await faultProxy({ host: '127.0.0.1', port: scene.smsc.port })
  const adminPort = await freePort()
  const config = stage.configure(
    'fenced',
    settingsOf(stage, {
      smscPort: smsc.port,
      adminPort,
      redis: { url: through(stage.redis.url!, redis) },
      postgresUrl: through(stage.postgresUrl, postgres),
      ...(change ? { change } : {}),
    }),
  )
  const start = async (): Promise<DaemonProcess> => {
    const daemon = startDaemonProcess(config, adminPort)
    const isUp = await reached(() => isReady(adminPort), 60_000)
    if (!isUp) throw new Error(`the daemon does not get ready: ${daemon.raw().slice(-1_000)}`)
    return daemon
  }
  const self: Fenced = {
    daemon: await start(),
    redis,
    postgres,
    smsc,
    adminPort,
    async restart() {
      self.daemon = await start()
    },
    async stop() {
      self.daemon.kill('SIGKILL')
      await self.daemon.exited
      await Promise.all([redis.close(), postgres.close(), smsc.close()])
      await sweepRedis(stage)
    },
  }
  return self
}
