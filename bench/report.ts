/** The figures of a bench run: ratios first, then what they are made of. */
import { cpus, loadavg, totalmem } from 'node:os'
import type { Asked } from './arguments.ts'
import type { FlatRow } from './flat.ts'
import type { Measured } from './measure.ts'
import { AT_KANNELS, phonesWords, SHARES, type Outcome } from './plan.ts'
import { SCENARIOS } from './scenarios.ts'
import type { SystemName } from './systems.ts'

/** Medians of all rounds; what varies has its least and its most beside it. */
interface Spread {
  median: number
  min: number
  max: number
}

const [THIRD, TWO_THIRDS] = [SHARES[0].load, SHARES[1].load]
const MANY = phonesWords(500)

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: sorted[sorted.length >> 1]!, min: sorted[0]!, max: sorted.at(-1)! }
}

/** As many digits as say something. */
function number(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(value >= 10 ? 1 : 2)
}

function words({ median, min, max }: Spread): string {
  return min === max ? number(median) : `${number(median)} (${number(min)}–${number(max)})`
}

function markdown(heads: readonly string[], rows: readonly (readonly string[])[], left = 1): string {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`
  const rule = widths.map((width, i) => (i < left ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(heads), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n')
}

/** For whoever watches it run. */
export function lineOf(one: Measured): string {
  const parts = Object.entries(one.cpu).map(([name, value]) => `${name} ${value.toFixed(3)}`)
  const cost = `${one.cost.toFixed(3)} CPU s per 10,000 (${parts.join(', ')})`
  const times = `p50 ${number(one.p50)}, p99 ${number(one.p99)} ms`
  return `${one.scenario}, ${one.load}, round ${one.round + 1}: ${one.system} ${number(one.perSecond)}/s, ${times}, ${cost}${faultWords([one])}`
}

function faultWords(runs: readonly Measured[]): string {
  const names = ['lost', 'refused', 'wrong', 'unsent'] as const
  const sums = names.map((name) => [name, runs.reduce((sum, { faults }) => sum + faults[name], 0)] as const)
  const said = sums.filter(([, sum]) => sum > 0).map(([name, sum]) => `${sum} ${name}`)
  return said.length > 0 ? `; ${said.join(', ')}` : ''
}

function grouped(measured: readonly Measured[]): Measured[][] {
  const groups = new Map<string, Measured[]>()
  for (const one of measured) {
    const name = [one.scenario, one.load, one.system].join()
    groups.set(name, [...(groups.get(name) ?? []), one])
  }
  return [...groups.values()]
}

export function runTable(measured: readonly Measured[]): string {
  const isProbed = measured.some(({ allocated }) => allocated !== undefined)
  const heads = [
    'scenario',
    'load',
    'system',
    'turns/s',
    'p50 ms',
    'p99 ms',
    'p99.9 ms',
    'CPU s per 10,000',
    'of which',
  ]
  const more = isProbed ? ['heap octets a turn', 'collecting'] : []
  const rows = grouped(measured).map((runs) => {
    const of = (name: 'perSecond' | 'p50' | 'p99' | 'p999' | 'cost') => words(spreadOf(runs.map((run) => run[name])))
    const { scenario, load, system } = runs[0]!
    const figures = [of('perSecond'), of('p50'), of('p99'), of('p999'), of('cost')]
    const parts = Object.keys(runs[0]!.cpu).map((name) => {
      const { median } = spreadOf(runs.map(({ cpu }) => cpu[name]!))
      return `${name} ${median.toFixed(2)}`
    })
    const inside = isProbed ? insideOf(runs) : []
    return [scenario, load, system, ...figures, parts.join(', ') + faultWords(runs), ...inside]
  })
  return markdown([...heads, ...more], rows, 3)
}

function insideOf(runs: readonly Measured[]): string[] {
  const [{ allocated, collecting } = {}] = runs
  if (allocated === undefined || collecting === undefined) return ['', '']
  const share = spreadOf(runs.map((run) => run.collecting! * 100)).median
  return [words(spreadOf(runs.map((run) => run.allocated!))), `${share.toFixed(1)} %`]
}

export function flatTable(rows: readonly FlatRow[]): string {
  return markdown(
    ['dialogues at rest', 'CPU s per 10,000', 'of which daemon', 'of which Redis', 'p99 ms', 'octets each'],
    rows.map(({ resting, runs, octetsEach }) => [
      resting.toLocaleString('en'),
      words(spreadOf(runs.map(({ cost }) => cost))),
      words(spreadOf(runs.map(({ cpu }) => cpu.daemon!))),
      words(spreadOf(runs.map(({ cpu }) => cpu.Redis!))),
      words(spreadOf(runs.map(({ p99 }) => p99))),
      number(octetsEach),
    ]),
  )
}

interface Ratio {
  what: string
  spread: Spread
  goal: string
}

type Side = [scenario: string, load: string, system: SystemName]

interface Compared {
  what: string
  goal: string
  over: Side
  under: Side
  of(one: Measured): number
}

const cost = (one: Measured) => one.cost
const own = (one: Measured) => one.cpu.daemon!
const p50 = (one: Measured) => one.p50
const p99 = (one: Measured) => one.p99

const COMPARED: readonly Compared[] = [
  {
    what: 'walk: turns per CPU second, the daemon over Kannel with its application',
    goal: '≥ 5, better 8',
    over: ['walk', MANY, 'Kannel'],
    under: ['walk', MANY, 'daemon'],
    of: cost,
  },
  {
    what: 'walk: turns per CPU second, the daemon over the raw loop',
    goal: '≥ 0.4',
    over: ['walk', MANY, 'raw loop'],
    under: ['walk', MANY, 'daemon'],
    of: cost,
  },
  {
    what: "walk: p99, the daemon over Kannel, both at two thirds of Kannel's saturation",
    goal: '≤ 0.8',
    over: ['walk', AT_KANNELS, 'daemon'],
    under: ['walk', TWO_THIRDS, 'Kannel'],
    of: p99,
  },
  {
    what: "walk: CPU of a turn, the daemon over Kannel, both at two thirds of Kannel's saturation",
    goal: '≤ 0.33',
    over: ['walk', AT_KANNELS, 'daemon'],
    under: ['walk', TWO_THIRDS, 'Kannel'],
    of: cost,
  },
  {
    what: 'walk: CPU of a turn of the raw loop, at a third of saturation over at saturation',
    goal: '',
    over: ['walk', THIRD, 'raw loop'],
    under: ['walk', MANY, 'raw loop'],
    of: cost,
  },
  ...SCENARIOS.flatMap(({ name }) => comparedIn(name)),
]

function comparedIn(scenario: string): Compared[] {
  const [many, before]: Side[] = [
    [scenario, MANY, 'daemon'],
    [scenario, MANY, 'before'],
  ]
  const goals = scenario === 'dental' ? ['≥ 2.5', '≥ 4'] : ['', '']
  const build = `${scenario}: CPU of a turn, the build before over today`
  return [
    {
      what: `${scenario}: CPU of a turn, at a third of saturation over at saturation`,
      goal: scenario === 'walk' ? "≤ 1.2 times the raw loop's" : '',
      over: [scenario, THIRD, 'daemon'],
      under: many!,
      of: cost,
    },
    { what: `${build}, all processes`, goal: goals[0]!, over: before!, under: many!, of: cost },
    { what: `${build}, the daemon alone`, goal: goals[1]!, over: before!, under: many!, of: own },
  ]
}

/** Each round has its own ratio: what slows the machine for a while slows both of its sides. */
function ratiosOf(measured: readonly Measured[], flat: readonly FlatRow[]): Ratio[] {
  const side = ([scenario, load, system]: Side) =>
    measured.filter((one) => one.scenario === scenario && one.load === load && one.system === system)
  const ratios = COMPARED.map(({ what, goal, over, under, of }) => {
    const below = side(under)
    const values = side(over).flatMap((one) => {
      const other = below.find(({ round }) => round === one.round)
      return other ? [of(one) / of(other)] : []
    })
    return { what, goal, values }
  })
  const tails = SCENARIOS.map(({ name }) => ({
    what: `${name}: p99 over p50, at two thirds of saturation`,
    goal: '≤ 5',
    values: side([name, TWO_THIRDS, 'daemon']).map((one) => p99(one) / p50(one)),
  }))
  return [...ratios, ...tails, ...flatRatios(flat)]
    .filter(({ values }) => values.length > 0)
    .map(({ what, goal, values }) => ({ what, goal, spread: spreadOf(values) }))
}

function flatRatios(flat: readonly FlatRow[]): { what: string; goal: string; values: number[] }[] {
  const [first, last] = [flat[0], flat.at(-1)]
  if (!first || !last) return []
  const [few, many] = [first, last].map(({ resting }) => resting.toLocaleString('en'))
  return [
    {
      what: `walk: CPU of a turn, beside ${many} dialogues at rest over beside ${few}`,
      goal: '0.85 to 1.15',
      values: last.runs.map((run, round) => cost(run) / cost(first.runs[round]!)),
    },
    { what: 'octets that Redis keeps of a dialogue at rest', goal: '≤ 1,024', values: [last.octetsEach] },
  ]
}

export function ratioTable(measured: readonly Measured[], flat: readonly FlatRow[]): string {
  const rows = ratiosOf(measured, flat).map(({ what, spread, goal }) => [what, words(spread), goal])
  return rows.length === 0 ? '' : markdown(['ratio', 'median (least–most)', 'goal'], rows)
}

export interface Whole {
  outcomes: readonly Outcome[]
  flat: readonly FlatRow[]
  asked: Asked
  /** The load average before anything was started. */
  loadBefore: number
}

export function report({ outcomes, flat, asked, loadBefore }: Whole): string {
  const measured = outcomes.flatMap((outcome) => outcome.measured)
  const [cpu] = cpus()
  const [walk] = outcomes
  const loads = [loadBefore, loadavg()[0]!].map((load) => load.toFixed(1))
  return `# Results of the bench

${new Date().toISOString().slice(0, 10)}; ${cpus().length} × ${cpu?.model.trim() || 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}.
By \`npm run bench\`: ${asked.rounds} rounds of ${asked.seconds} s a run, the systems by turns. Load average before ${loads[0]}, at the end ${loads[1]}, the
bench itself being about 2. Compare figures of one run only; ratios of another kind of machine differ by a
quarter, seconds by much more.

## Ratios

${ratioTable(measured, flat)}

## Figures

${runTable(measured)}

${flat.length > 0 ? `${flatTable(flat)}\n` : ''}
## What is measured

* A **turn** is one deliver_sm in and one submit_sm out, both responses exchanged, the dialogue read and written in Redis (append-only
  file, fsync every second). A dialogue of \`walk\` has ${walk?.recordOctets ?? '–'} octets there.
* **The daemon** is the build as it is installed: metrics on, log at \`info\`, the young generation of \`deploy/\`, all promises kept.
${SCENARIOS.map(({ name, about }) => `* \`${name}\`: ${about}.`).join('\n')}
* **CPU seconds** are of all processes of a system, with their children, from /proc: the daemon, Redis, Postgres, the HTTP back end; of
  Kannel bearerbox, smsbox, its application, Redis. The phones and their SMSC are none of them; they take part of the same cores.
* **Closed loop**: so many phones, each presses its next key as soon as it sees a screen; with 500 the system is saturated.
* **Open loop**: turns become due at random (Poisson, the same seeds for all), whether or not the system keeps up, and latency counts from
  when a turn became due. A turn that found every phone waiting counts as long as it waited (\`unsent\`).
* **The raw loop** (\`bench/raw\`) does what no daemon can leave out, by hand, in Node: the same PDUs, a read and a compare-and-set of a value
  as long, and in a turn of the event loop one MGET, one script of writes, and one write to each socket.
* **Kannel** ${KANNEL[walk?.kannel ?? 'not asked for']}.
${asked.before === undefined ? '' : `* **Before** is another build (${asked.before.name}), measured by turns with today's.\n`}`
}

const SETUP = `(\`bench/kannel\`) speaks USSD by its \`smpp-tlv\` groups; a small Node application behind smsbox has the screens in a table and
  each subscriber in Redis, by GET and SET`

const KANNEL: Record<Outcome['kannel'], string> = {
  'not asked for': 'was not asked for',
  'not installed': 'is not installed on this machine (Debian: `apt-get install kannel`)',
  'with Nagle': `${SETUP}. No C compiler: its sockets wait as Nagle has them wait, which costs it most of its latency`,
  'without Nagle': `${SETUP}. TCP_NODELAY is set on all of its sockets from outside (\`bench/kannel/nodelay.c\`): it has no setting for it`,
}
