/** What is old enough to be removed: appointments long past, profiles without any, holds that were not released. */
import type { ModulePurge, ModulePurged, SqlBindings } from '../../src/plugin/index.ts'
import type { DentalDeps } from './settings.ts'

const DAY_MS = 86_400_000

/** Appointments first: a profile is removed when it has none left. */
export async function purgeDental({ sql }: Pick<DentalDeps, 'sql'>, asked: ModulePurge): Promise<ModulePurged> {
  const { nowMs, todayMs, keepMs, rowsMax } = asked
  const before = new Date(todayMs - keepMs)
  const removed = async (text: string, bindings: SqlBindings): Promise<number> => {
    const [counted] = await sql<{ n: number }>(
      `WITH gone AS (${text} RETURNING 1) SELECT CAST(count(*) AS integer) AS n FROM gone`,
      { ...bindings, rows: rowsMax },
    )
    return counted!.n
  }
  return {
    appointments: await removed(APPOINTMENTS, { before }),
    profiles: await removed(PROFILES, { before }),
    holds: await removed(HOLDS, { before: new Date(nowMs - DAY_MS) }),
  }
}

const APPOINTMENTS = `DELETE FROM dental_appointment WHERE id IN (
  SELECT a.id FROM dental_appointment a JOIN dental_slot s ON s.id = a.slot
  WHERE s.starts_at < CAST(:before AS timestamptz) LIMIT CAST(:rows AS integer))`

const PROFILES = `DELETE FROM dental_profile WHERE msisdn IN (
  SELECT p.msisdn FROM dental_profile p WHERE p.created_at < CAST(:before AS timestamptz)
    AND NOT EXISTS (SELECT 1 FROM dental_appointment a WHERE a.msisdn = p.msisdn)
    AND NOT EXISTS (SELECT 1 FROM dental_hold h WHERE h.msisdn = p.msisdn)
  LIMIT CAST(:rows AS integer))`

const HOLDS = `DELETE FROM dental_hold WHERE slot IN (
  SELECT slot FROM dental_hold WHERE expires_at < CAST(:before AS timestamptz) LIMIT CAST(:rows AS integer))`
