/** What nobody is to be woken for: rows of `alarm_silence`, the same for all daemons on one database. */
import { statement, type Sql } from '../base/index.ts'

export interface SilenceRow {
  id: string
  /** Null: for everything. */
  line: string | null
  until: Date
  asked_by: string
  note: string
}

const ACTIVE = statement<SilenceRow>(
  'silence-read',
  'SELECT id, line, until, asked_by, note FROM alarm_silence WHERE until > now() ORDER BY until LIMIT 200',
)

const BEGIN = statement<SilenceRow>(
  'silence-begin',
  `
  INSERT INTO alarm_silence (line, until, asked_by, note, at)
  VALUES (CAST(:line AS text), now() + CAST(:ms AS bigint) * interval '1 millisecond', CAST(:by AS text), CAST(:note AS text), now())
  RETURNING id, line, until, asked_by, note`,
)

const END = statement<{ id: string }>(
  'silence-end',
  `UPDATE alarm_silence SET until = now() WHERE id = CAST(:id AS bigint) AND until > now() RETURNING id`,
)

export interface Silences {
  /** Reads them again. While Postgres is unreachable, the last ones go on to their ends. */
  read(): Promise<void>
  isSilenced(line: string | undefined): boolean
  rows(): SilenceRow[]
  begin(asked: { line: string | null; ms: number; by: string; note: string }): Promise<SilenceRow>
  /** False: there is none with that id. */
  end(id: string): Promise<boolean>
}

export function createSilences(sql: Sql, now: () => number): Silences {
  let known: SilenceRow[] = []
  const rows = () => known.filter(({ until }) => until.getTime() > now())
  const read = async () => void (known = await ACTIVE(sql, {}))
  return {
    read,
    rows,
    isSilenced: (line) => rows().some((row) => row.line === null || row.line === line),
    async begin(asked) {
      const [row] = await BEGIN(sql, asked)
      await read()
      return row!
    },
    async end(id) {
      const ended = await END(sql, { id })
      await read()
      return ended.length > 0
    },
  }
}
