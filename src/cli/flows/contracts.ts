/** `contract list` and `contract test`: an application's author checks it before a daemon uses it. */
import { randomBytes } from 'node:crypto'
import { systemClock, UsageError, uuidV7, silentLog } from '../../base/index.ts'
import { appBackend, type Backend, type CallResult } from '../../backend/index.ts'
import {
  KIT_PATH,
  kitAsked,
  loadKit,
  readAnswer,
  requestText,
  contractNames,
  loadContract,
  type Contract,
  type Outgoing,
} from '../../backend/contracts/index.ts'
import { advance, appFlow, appName, type FlowSnapshot, type Want } from '../../flow/engine/index.ts'
import { USSD_PAGE } from '../../ussd/index.ts'
import { asJson } from '../admin.ts'
import type { Say } from '../arguments.ts'
import { tableOf } from '../table.ts'

export interface TestOptions {
  url?: string
  code: string
  msisdn: string
  answers: string
  /** The account at the aggregator, and the operator in the words of the contract. */
  account?: string
  network?: string
  dir?: string
}

/** The line of the dialogue that is played. */
const LINE = 'test'

export function listContracts({ dir, json }: { dir?: string; json?: boolean }, say: Say): void {
  const all = contractNames(dir).map((name) => {
    const { later, sources } = loadContract(name, dir)
    return { name, hasKit: loadKit(name) !== undefined, sources, answersLater: later !== undefined }
  })
  if (json) return say(asJson(all))
  const rows = all.map(({ name, hasKit, sources, answersLater }) => {
    const said = [...sources.map(({ url, read }) => `read ${read} ${url}`), ...(answersLater ? ['answers later'] : [])]
    const known = sources.length > 0 ? [] : ['no public source: ask the provider, and compare']
    return [name, hasKit ? 'kit' : '-', [...known, ...said].join(', ')]
  })
  for (const line of tableOf(['CONTRACT', 'KIT', 'SOURCES'], rows)) say(line)
}

/**
 * Without a URL: tests our side against the kit. With a URL: plays a dialogue with the application there. Exit code 1
 * on a difference.
 */
export async function testContract(name: string, options: TestOptions, say: Say): Promise<void> {
  const contract = loadContract(name, options.dir)
  const good = options.url ? await walked(contract, { ...options, url: options.url }, say) : held(contract, name, say)
  if (!good) process.exitCode = 1
}

/** The kit's requests are what we send, and its replies are what we understand. */
function held(contract: Contract, name: string, say: Say): boolean {
  const kit = loadKit(name)
  if (!kit) throw new UsageError(`contract '${name}' has no kit: give --url to test an application`)
  let state = {}
  let good = true
  kit.turns.forEach((turn, i) => {
    const asked = kitAsked(kit, i, state)
    const request = textOf(contract.ask(asked))
    const said = contract.understand(readAnswer(turn.reply), asked)
    state = said.state
    const shows = said.end ? { end: said.text } : { ask: said.text }
    const same = request === turn.request && JSON.stringify(shows) === JSON.stringify(turn.shows)
    good &&= same
    say(`${same ? 'ok    ' : 'FAILED'}  ${i === 0 ? 'dial' : `answer ${turn.input}`}`)
    if (!same) say(`${request}\n${JSON.stringify(shows)}`)
  })
  return good
}

function textOf({ path, query, ...rest }: Outgoing): string {
  return requestText({ ...rest, target: `${KIT_PATH}${path}${query === '' ? '' : `?${query}`}` })
}

async function walked(contract: Contract, options: TestOptions & { url: string }, say: Say): Promise<boolean> {
  if (contract.later) throw new UsageError(`${contract.name} answers later: only a running daemon can wait for it`)
  const flow = appFlow('tested', contract.name)
  const clock = systemClock(undefined)
  const parts = { clock, counters: { count: () => undefined }, log: silentLog }
  const { url, code, msisdn, account, network } = options
  const settings = {
    url,
    ...(account === undefined ? {} : { account }),
    ...(network === undefined ? {} : { networks: { [LINE]: network } }),
  }
  const backend = appBackend(appName('tested'), contract, settings, parts)
  const epoch = uuidV7(clock.now(), randomBytes)
  const answers = options.answers === '' ? [] : options.answers.split(',')
  try {
    let snapshot: FlowSnapshot = flow.begin({
      msisdn,
      code,
      line: LINE,
      language: 'en',
      dialled: [],
      page: USSD_PAGE,
    })
    for (let turn = 0; turn <= answers.length; turn++) {
      const answer = turn === 0 ? null : answers[turn - 1]!
      const results: CallResult[] = []
      const call = caller(backend, { epoch, msisdn, turn, results })
      snapshot = (await advance(flow, snapshot, answer === null ? null : { type: 'ANSWER', text: answer }, call))
        .snapshot
      const want = flow.want(snapshot)
      say(shownAs(answer === null ? `dial ${code}` : `answer ${answer}`, want, results.at(-1)))
      if (results.some(({ is }) => is !== 'data')) return false
      if (want.do === 'end')
        return turn === answers.length || (say(`the dialogue ended with ${answers.length - turn} answers left`), false)
    }
    return true
  } finally {
    await backend.close?.()
  }
}

interface Calling {
  epoch: string
  msisdn: string
  turn: number
  results: CallResult[]
}

function caller(backend: Backend, { epoch, msisdn, turn, results }: Calling): Parameters<typeof advance>[3] {
  return async (want, n) => {
    const result = await backend.call(want.operation, want.args, {
      intention: `${epoch}:${turn + 1}:${n}`,
      epoch,
      msisdn,
      language: 'en',
      line: LINE,
      todayMs: 0,
      signal: new AbortController().signal,
    })
    results.push(result)
    return result
  }
}

function shownAs(said: string, want: Want, result: CallResult | undefined): string {
  if (result?.is === 'failed') return `> ${said}\nFAILED  ${result.why}: ${result.detail}`
  const text = 'text' in want ? want.text.replaceAll('\n', '\n< ') : ''
  return `> ${said}\n< ${text}${want.do === 'end' ? '\nends' : ''}`
}
