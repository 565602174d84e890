/**
 * H3: a real Postgres under two daemons and walking subscribers: ended at once, its connections killed, a table locked.
 */
import { paceOf } from '../settings.ts'
import { areKept, series, untilCertain } from '../judging/certain.ts'
import { apologiesAfter, judged, outcomeOf, type JudgedRun } from '../judging/judged-run.ts'
import { sleep, type Campaign } from '../judging/outcome.ts'
import { ownPostgres, type OwnPostgres } from '../staging/own-postgres.ts'
import { openFixture, sweepRedis } from '../staging/fixture.ts'
import { severalDaemons } from '../staging/several.ts'

const WALKERS = 5
const AWAY_MS = { bounded: 3_000, long: 30_000 }
const LOCKED_MS = 2_500
const BACK_MS_MAX = 2_000

export const postgresCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const postgres = await ownPostgres()
  const scene = await openFixture({ seed: parts.seed, pace: paceOf(parts), postgresUrl: postgres.url })
  const several = await severalDaemons(scene, 2)
  const ordeal: JudgedRun = { parts, scene, several }
  try {
    const walking = scene.walkers(WALKERS)
    await sleep(2_000)
    const backs = series({ limit: BACK_MS_MAX, strict: parts.mode === 'long' })
    const longest: Record<string, number> = {}
    const faults = faultsOf(postgres, AWAY_MS[parts.mode])
    const rounds = await untilCertain([backs], parts.rounds ?? (parts.mode === 'bounded' ? 1 : 5), async () => {
      for (const name of backs.doubtful.length ? backs.doubtful : Object.keys(faults)) {
        const { afterMs, count } = await apologiesAfter(ordeal, faults[name]!, { quietMs: 3_000 })
        backs.add(afterMs, { kind: name })
        longest[name] = Math.max(longest[name] ?? 0, afterMs)
        parts.say(`     ${name}: apologies for ${afterMs} ms after it was over (${count})`)
      }
    })
    await walking.stop()
    return [
      outcomeOf(ordeal, startMs, await judged(ordeal), {
        goal: 'H3',
        title:
          'Postgres stopped as by a power cut and started, all its connections killed, the bookings locked: 2 daemons, subscribers walking',
        figure: `apologies after it was over for ${backs.figure}`,
        isGood: areKept(backs),
        counts: { rounds, ...Object.fromEntries(Object.entries(longest).map(([name, ms]) => [`${name}Ms`, ms])) },
      }),
    ]
  } finally {
    await several.stop()
    await sweepRedis(scene.stage)
    await scene.close()
    await postgres.close()
  }
}

function faultsOf(postgres: OwnPostgres, awayMs: number): Record<string, () => Promise<void>> {
  const restart = (how: 'immediate' | 'fast') => async () => {
    await postgres.stop(how)
    await sleep(awayMs)
    await postgres.start()
  }
  return {
    powerCut: restart('immediate'),
    restart: restart('fast'),
    terminated: async () => {
      for (let n = 0; n < 4; n++) {
        await postgres.ask(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
        )
        await sleep(500)
      }
    },
    locked: () =>
      postgres.ask(`DO $$ DECLARE it text; BEGIN
      SELECT format('%I.dental_appointment', table_schema) INTO it FROM information_schema.tables
        WHERE table_name = 'dental_appointment' AND table_schema LIKE 'f\\_%' LIMIT 1;
      EXECUTE 'LOCK TABLE ' || it || ' IN ACCESS EXCLUSIVE MODE'; PERFORM pg_sleep(${LOCKED_MS / 1000}); END $$`),
    readOnly: async () => {
      await postgres.ask('ALTER DATABASE postgres SET default_transaction_read_only = on')
      await postgres.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
      )
      await sleep(2_000)
      await postgres.ask('ALTER DATABASE postgres RESET default_transaction_read_only')
      await postgres.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
      )
    },
  }
}
