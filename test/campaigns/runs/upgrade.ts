/**
 * H7: two daemons replaced one after the other under walking subscribers: drain, stop, start the next. From an earlier
 * build (`--previous REF`; else the last tag, else this one) to this one, and back where the schema of Postgres is the
 * same; where it is not, the earlier one must refuse to start, and say why.
 */
import { paceOf } from '../settings.ts'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Knex } from 'knex'
import { packageRoot } from '../../../src/base/package-root.ts'
import { areKept, series, untilCertain, type Series } from '../judging/certain.ts'
import type { DaemonProcess } from '../staging/daemon-process.ts'
import { judged, outcomeOf, type JudgedRun } from '../judging/judged-run.ts'
import { sleep, type Campaign } from '../judging/outcome.ts'
import { buildOf, lastTag, migrationsIn, type Build } from '../staging/previous-build.ts'
import { openFixture, sweepRedis } from '../staging/fixture.ts'
import { severalDaemons, type Several } from '../staging/several.ts'

const WALKERS = 6
const STOP_MS_MAX = 10_000
/** A line of the log (src/store/dialogues.ts). */
const UNREADABLE = 'a dialogue record in Redis cannot be read'
/** Between two replacements: dialogues of one build come to the other. */
const PAUSE_MS = 1_500

/** A way to go, and the builds that it leads through: undefined is this one. */
type Builds = (Build | undefined)[]

export const upgradeCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const ref = parts.previous ?? lastTag()
  const previous = ref === undefined ? undefined : buildOf(ref)
  const later = previous ? migrationsIn(packageRoot).filter((name) => !previous.migrations.includes(name)) : []
  const scene = await openFixture({
    seed: parts.seed,
    pace: paceOf(parts),
    ...(previous ? { migrate: (knex) => migrateAs(previous, knex) } : {}),
  })
  const several = await severalDaemons(scene, 0)
  const ordeal: JudgedRun = { parts, scene, several }
  try {
    for (let n = 0; n < 2; n++) await several.add({ build: previous, source: true })
    const walking = scene.walkers(WALKERS)
    const stops = series({ limit: STOP_MS_MAX, strict: parts.mode === 'long' })
    const ways: Builds = later.length ? [undefined] : [undefined, previous, undefined]
    const failures: string[] = []
    await untilCertain(
      [stops],
      parts.rounds ?? (parts.mode === 'bounded' ? 1 : 5),
      async () => void failures.push(...(await replace(several, ways, stops))),
    )
    if (previous && later.length) failures.push(...(await refusal(several, previous, later)))
    await sleep(PAUSE_MS)
    await walking.stop()
    failures.push(...unreadable(several))
    return [
      outcomeOf(ordeal, startMs, await judged(ordeal), {
        goal: 'H7',
        title: titleOf(previous, later),
        failures,
        figure: `a stop took ${stops.figure}`,
        isGood: areKept(stops),
        counts: { replaced: several.daemons.length - 2 },
      }),
    ]
  } finally {
    await several.stop()
    await sweepRedis(scene.stage)
    await scene.close()
  }
}

async function replace(several: Several, builds: Builds, stops: Series): Promise<string[]> {
  const failures: string[] = []
  for (const build of builds) {
    // The two that live now: what is started meanwhile stays.
    for (const old of several.daemons.filter((daemon) => daemon.alive)) {
      await sleep(PAUSE_MS)
      const stopMs = performance.now()
      old.kill('SIGTERM')
      const { code } = await old.exited
      stops.add(performance.now() - stopMs)
      if (code !== 0) failures.push(`SIGTERM ended with ${code}`)
      await several.add({ build, source: true })
    }
  }
  return failures
}

/** A dialogue that the build beside it cannot read gets the busy text there. */
function unreadable({ daemons }: Several): string[] {
  const count = daemons.flatMap((daemon) => daemon.log()).filter(({ msg }) => msg === UNREADABLE).length
  return count === 0 ? [] : [`${count} records of the one build could not be read by the other`]
}

/** The earlier build on the later schema: an end with status 1 and a sentence, and nothing changed for the others. */
async function refusal(several: Several, previous: Build, later: readonly string[]): Promise<string[]> {
  const living = several.daemons.find((daemon) => daemon.alive) as DaemonProcess
  const run = promisify(execFile)(process.execPath, [previous.cli, 'run', '--config', living.config], {
    timeout: 20_000,
  })
  const { code, stderr } = await run.then(
    () => ({ code: 0, stderr: '' }),
    (error: { code: number; stderr: string }) => error,
  )
  const isPolite = code === 1 && later.every((name) => stderr.includes(name)) && !/\n\s+at /.test(stderr)
  return isPolite ? [] : [`${previous.commit} on the later schema ended with ${code}: ${stderr.slice(0, 300)}`]
}

/** The schema as the earlier build makes it. */
async function migrateAs({ root }: Build, knex: Knex): Promise<void> {
  const { migrate } = (await import(`${root}/dist/src/store/postgres/migrate.js`)) as {
    migrate(knex: Knex): Promise<unknown>
  }
  await migrate(knex)
}

function titleOf(previous: Build | undefined, later: readonly string[]): string {
  const from = previous
    ? `from ${previous.commit} to this build`
    : 'from this build to itself (there is no tag: --previous REF)'
  const back = later.length
    ? `; not back, which ${previous!.commit} refuses on the schema of ${later.join(', ')}`
    : ', back, and up again'
  return `rolling upgrade ${from}${back}: two daemons drained, stopped and replaced one after the other, subscribers walking`
}
