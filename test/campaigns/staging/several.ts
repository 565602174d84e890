/** Several daemons as processes on one stage: the same settings, a port each. */
import type { Settings } from '../../../src/config/schema.ts'
import { freePort } from '../../support/services.ts'
import { bugsOf, gaveUp, metricsAtRest } from '../judging/aftermath.ts'
import { isReady, startDaemonProcess, type DaemonProcess } from './daemon-process.ts'
import { reached } from '../judging/outcome.ts'
import type { CampaignFixture } from './fixture.ts'
import type { Build } from './previous-build.ts'
import { settingsOf, sourceOf } from './stage.ts'

export interface Adding {
  change?: ((settings: Settings) => void) | undefined
  env?: Record<string, string>
  /** Of another build. */
  build?: Pick<Build, 'cli'> | undefined
  /** Its settings as the shortest file, which builds of other releases read, too; `change` is not heard then. */
  source?: boolean
  /** Whether it is up. Default: it is ready, or stands by. */
  isUp?: (daemon: DaemonProcess) => Promise<boolean>
}

export interface Several {
  daemons: DaemonProcess[]
  /** One more, started and ready (or, with `standby`, refused its bind). */
  add(how?: Adding): Promise<DaemonProcess>
  /** /metrics of those that live, once nothing more is counted. */
  metrics(): Promise<string[]>
  /** Lines that tell of a bug, and ends that nobody wanted. */
  accidents(): string[]
  stop(): Promise<void>
}

export async function severalDaemons(
  scene: CampaignFixture,
  count: number,
  change?: (settings: Settings) => void,
): Promise<Several> {
  const daemons: DaemonProcess[] = []
  const several: Several = {
    daemons,
    async add({ change: more = change, env = {}, build, source = false, isUp: is = serves } = {}) {
      const adminPort = await freePort()
      const wishes = { smscPort: scene.smsc.port, adminPort, ...(more ? { change: more } : {}) }
      const config = scene.stage.configure(
        `daemon${daemons.length}`,
        (source ? sourceOf : settingsOf)(scene.stage, wishes),
      )
      const daemon = startDaemonProcess(config, adminPort, env, build?.cli)
      daemons.push(daemon)
      const isUp = await reached(async () => daemon.alive && (await is(daemon)), 90_000)
      if (!isUp) throw new Error(`a daemon does not get ready: ${daemon.raw().slice(-1_500)}`)
      return daemon
    },
    async metrics() {
      return metricsAtRest(daemons.filter((daemon) => daemon.alive))
    },
    accidents() {
      return daemons.flatMap((daemon) => [...bugsOf(daemon), ...gaveUp(daemon)]).map((what) => `a daemon: ${what}`)
    },
    async stop() {
      for (const daemon of daemons) daemon.kill('SIGKILL')
      await Promise.all(daemons.map((daemon) => daemon.exited))
    },
  }
  try {
    for (let n = 0; n < count; n++) await several.add()
    return several
  } catch (error) {
    await several.stop()
    throw error
  }
}

const serves = async ({ adminPort }: DaemonProcess) => (await isReady(adminPort)) || (await standsBy(adminPort))

/** What /ready says, whether or not it is ready. */
export async function readyOf(adminPort: number): Promise<Record<string, unknown> | undefined> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/ready`, { signal: AbortSignal.timeout(3_000) }).catch(
    () => undefined,
  )
  return answer ? ((await answer.json()) as Record<string, unknown>) : undefined
}

export async function standsBy(adminPort: number): Promise<boolean> {
  return (await readyOf(adminPort))?.['standby'] === true
}
