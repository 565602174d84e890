/** What a bench run is asked for. */
import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { buildOf } from '../test/campaigns/staging/previous-build.ts'
import { SCENARIOS } from './scenarios.ts'

export interface Asked {
  /** Names of scenarios, and `flat`. */
  only: string[]
  concurrent: number[]
  /** Also at a rate. */
  open: boolean
  kannel: boolean
  raw: boolean
  rounds: number
  seconds: number
  /** Another build: its name, and its folder. */
  before?: { name: string; root: string }
  profileDir?: string
  allocations: boolean
  /** The SMS lane, and nothing else. */
  sms: boolean
  /** With `sms`: so many due in the same moment. */
  due?: number
  /** All of it: the figures go into RESULTS.md. */
  isWhole: boolean
}

export const FLAT = 'flat'
const SMS = 'sms'
/** They take 20 GB of the disk. */
const DUE_MAX = 5_000_000

const HELP = `npm run bench -- [options]

Without options: everything, three rounds, some 15 minutes; writes bench/RESULTS.md. Of a quick one, a minute:

  npm run bench -- --only walk --rounds 1 --seconds 5

sms                 the rate of the SMS lane, what it costs, and USSD beside it; takes --before, --rounds, --seconds
sms --due N         N SMS due in the same moment: memory of the daemon, rate, how long an OTP waits; takes --before
--only NAMES        these only, with commas (--list names them). Then, unless more is asked for: closed loop
                    with 500 phones, the daemon beside the raw loop; RESULTS.md stays as it is
--concurrent LIST   phones of the closed loop, with commas (1,50,500)
--open              with --only: also the open loop, at a third, two thirds and nine tenths of saturation
--kannel            with --only walk: also Kannel with an HTTP application
--no-raw            without the raw loop
--before BUILD      another build, measured by turns with this one: a checkout that is built, or a revision in
                    git, which is built first; without --only with 500 phones only
--rounds N          default 3
--seconds N         of a run, default 5
--profile FOLDER    with --only: a CPU profile of the daemon for each run, of the measured seconds alone
--allocations       with --only: octets that the daemon allocates in a turn, and what their collection takes
--list              what there is to measure
--help              this text

What else is measured, each by itself: node --import tsx bench/fixed.ts (start, idle), bench/store.ts (the stores),
bench/recorder.ts, bench/records.ts, bench/infer.ts; first lines of the files say more.`

const LIST = [
  ...SCENARIOS.map(({ name, about }) => `${name.padEnd(8)} ${about}`),
  `${FLAT.padEnd(8)} what a turn costs with 1,000, 100,000 and 1,000,000 dialogues that rest in Redis, and what each takes there`,
].join('\n')

/** Throws an Error whose message is for people; a string is to be printed, and that is all. */
export function askedOf(args: string[]): Asked | string {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      concurrent: { type: 'string' },
      open: { type: 'boolean', default: false },
      kannel: { type: 'boolean', default: false },
      'no-raw': { type: 'boolean', default: false },
      before: { type: 'string' },
      due: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      profile: { type: 'string' },
      allocations: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return HELP
  if (values.list) return LIST
  const all = [...SCENARIOS.map(({ name }): string => name), FLAT]
  const only = values.only === undefined ? all : values.only.split(',')
  const unknown = only.find((name) => !all.includes(name))
  if (unknown !== undefined) throw new Error(`--only: there is no '${unknown}'; there are ${all.join(', ')}`)
  const other = positionals.find((name) => name !== SMS)
  if (other !== undefined) throw new Error(`there is no '${other}'; see --help`)
  const sms = positionals.length > 0
  const isWhole = values.only === undefined && !sms
  if (values.due !== undefined && !sms) throw new Error('--due: with sms only')
  const looksInside = values.profile !== undefined || values.allocations
  if (isWhole && looksInside) throw new Error('--profile and --allocations cost time: name what to look into by --only')
  const concurrent = values.concurrent ?? (isWhole ? '1,50,500' : '500')
  return {
    only,
    concurrent: concurrent.split(',').map((one) => whole('--concurrent', one, 5_000)),
    open: isWhole || values.open,
    kannel: isWhole || values.kannel,
    raw: !values['no-raw'],
    rounds: whole('--rounds', values.rounds, 20),
    seconds: whole('--seconds', values.seconds, 120),
    ...(values.before === undefined ? {} : { before: built(values.before) }),
    ...(values.profile === undefined ? {} : { profileDir: folder(values.profile) }),
    allocations: values.allocations,
    sms,
    ...(values.due === undefined ? {} : { due: whole('--due', values.due, DUE_MAX) }),
    isWhole,
  }
}

function whole(name: string, text: string, max: number): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1 && number <= max) return number
  throw new Error(`${name}: '${text}' is not a whole number from 1 to ${max}`)
}

function built(name: string): { name: string; root: string } {
  const at = resolve(name)
  if (existsSync(join(at, 'dist/src/cli/main.js'))) return { name: at, root: at }
  if (existsSync(at)) throw new Error(`--before: ${at} has no build: run 'npm ci && npm run build' there`)
  try {
    const { root, commit } = buildOf(name)
    return { name: commit, root }
  } catch {
    throw new Error(
      `--before: '${name}' is no folder, and no revision that can be built with the modules that are here`,
    )
  }
}

function folder(path: string): string {
  mkdirSync(path, { recursive: true })
  return resolve(path)
}
