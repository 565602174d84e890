/** The figures of a bench run, as a table and as RESULTS.md. */
import { cpus, loadavg, totalmem } from 'node:os'

export interface Measured {
  flow: string
  concurrent: number
  /** Turns: a deliver_sm in, the submit_sm that answers it out. */
  perSecond: number
  p50: number
  p99: number
  /** CPU seconds of 10,000 turns. */
  daemon: number
  redis: number
  /** Writes to the SMSC's socket in one turn of the event loop. */
  writesALoop: number
  /** Write system calls of the daemon, to whatever, in one turn of a dialogue. */
  callsATurn: number
}

/** One row for each flow and number of phones, each figure the median of its runs. */
export function medians(measured: readonly Measured[]): Measured[] {
  const groups = new Map<string, Measured[]>()
  for (const one of measured) {
    const name = `${one.flow} ${one.concurrent}`
    groups.set(name, [...(groups.get(name) ?? []), one])
  }
  return [...groups.values()].map((runs) => {
    const of = (name: keyof Omit<Measured, 'flow'>) =>
      runs.map((run) => run[name]).toSorted((a, b) => a - b)[runs.length >> 1]!
    const { flow, concurrent } = runs[0]!
    return {
      flow,
      concurrent,
      perSecond: of('perSecond'),
      p50: of('p50'),
      p99: of('p99'),
      daemon: of('daemon'),
      redis: of('redis'),
      writesALoop: of('writesALoop'),
      callsATurn: of('callsATurn'),
    }
  })
}

const HEADS = [
  'flow',
  'concurrent',
  'turns/s',
  'p50 ms',
  'p99 ms',
  'CPU s per 10,000',
  'of which Redis',
  'SMPP writes a loop turn',
  'write calls a turn',
]

/** Markdown. */
export function table(rows: readonly Measured[]): string {
  const cells = rows.map((row) => [
    row.flow,
    String(row.concurrent),
    Math.round(row.perSecond).toLocaleString('en'),
    row.p50.toFixed(2),
    row.p99.toFixed(2),
    (row.daemon + row.redis).toFixed(3),
    row.redis.toFixed(3),
    row.writesALoop.toFixed(2),
    row.callsATurn.toFixed(2),
  ])
  const widths = HEADS.map((head, i) => Math.max(head.length, ...cells.map((cell) => cell[i]!.length)))
  const line = (words: readonly string[]) =>
    `| ${words.map((word, i) => (i ? word.padStart(widths[i]!) : word.padEnd(widths[i]!))).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`
  return [line(HEADS), rule, ...cells.map(line)].join('\n')
}

export function report(rows: readonly Measured[]): string {
  const [cpu] = cpus()
  return `# Results of the bench

${new Date().toISOString().slice(0, 10)}; ${cpus().length} × ${cpu?.model.trim() || 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}.
By \`npm run bench\`: medians of three alternating runs. Load average at the end: ${loadavg()[0]!.toFixed(1)}, the bench itself being about 2.

A turn is one deliver_sm in and one submit_sm out, both responses exchanged, the dialogue taken and rested in Redis
(append-only file, fsync every second), metrics on, the log at \`info\`, a young generation as in deploy/. Daemon, Redis and the SMSC with its phones are three
processes on one machine over loopback, with a Postgres that has nothing to do in a turn; CPU seconds are those of daemon and Redis. \`walk\` has no back end, \`lookup\` one in the
daemon's process, asked in three of its four turns. The daemon writes at most once to a socket in one turn of its event loop:
more than 2 in the column of SMPP writes is a fault, whatever the times say.

${table(rows)}

The machine is shared and the phones take CPU from what they measure: compare ratios, on one machine, not seconds.
`
}
