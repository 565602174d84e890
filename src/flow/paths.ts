/** Talks made from a flow: the shortest ways that walk every screen, choice and refusal, with made-up back ends. */
import { FlowFault } from '../errors.ts'
import { USSD_PAGE, type Json } from '../ussd/types.ts'
import { CALLS_PER_TURN_MAX } from './advance.ts'
import { WALKED_AT } from './answer-checks.ts'
import type { Compilation } from './compile.ts'
import { screenThing, thingDone, thingsOf } from './coverage.ts'
import { SUBSCRIBER } from './language-screen.ts'
import { SMS } from './sms-screen.ts'
import type { FlowEvent, FlowSnapshot, Want } from './types.ts'
import { contextOf, PAGES_MAX } from './walk.ts'
import { signing } from './walk-sign.ts'
import { worldOf, type World } from './world.ts'

const CODE = '*123#'

export interface Paths {
  /** A `.talk` file; each talk ends where something is walked that no talk before has. */
  text: string
  talks: number
  /** What of the flow made-up answers do not lead to. */
  missing: string[]
}

interface Step {
  event: FlowEvent
  /** What it leads to. */
  want: Want
  /** The call that it answers. */
  operation?: string
}

interface Way {
  snapshot: FlowSnapshot
  first: Want
  steps: readonly Step[]
  /** What it is the first to walk. */
  finds: string[]
}

/** For a flow that has been checked. */
export function talksOf(compilation: Compilation): Paths {
  const { definition } = compilation
  const all = Object.entries(definition.screens).flatMap(([name, screen]) => thingsOf(name, screen))
  const { ways, found } = explored(compilation, new Set(all))
  const telling = ways.filter((way) => way.finds.length > 0)
  // A way that another one goes on from is told by that.
  const whole = telling.filter((way) => !telling.some((other) => other !== way && way.steps.every((step, i) => other.steps[i] === step)))
  const talks = whole.map((way) => talkOf(way, definition.languages[0]!))
  const head = `# Made by flow paths: every screen, choice and refusal of the flow.\nflow ${definition.flow}\ncode ${CODE}\n`
  return { text: [head, ...talks].join('\n'), talks: talks.length, missing: all.filter((thing) => !found.has(thing)) }
}

function explored(compilation: Compilation, all: ReadonlySet<string>): { ways: Way[]; found: Set<string> } {
  const { flow, definition } = compilation
  const world = worldOf(definition, 'likely')
  const sign = signing(definition)
  const found = new Set<string>()
  const seen = new Set<string>()
  const language = definition.languages[0]!
  const snapshot = flow.begin({ msisdn: '67570000001', code: CODE, line: 'talk', language, dialled: [], page: USSD_PAGE, now: WALKED_AT })
  const note = (things: (string | undefined)[]) =>
    things.filter((thing) => thing !== undefined).filter((thing) => all.has(thing) && !found.has(thing) && found.add(thing))
  const ways: Way[] = [{ snapshot, first: flow.want(snapshot), steps: [], finds: note([screenThing(snapshot.value)]) }]
  for (let i = 0; i < ways.length && ways.length < PAGES_MAX; i++) {
    const way = ways[i]!
    for (const { event, operation } of eventsAt(way, compilation, world)) {
      try {
        const next = flow.step(way.snapshot, event)
        const want = flow.want(next)
        const finds = note([thingDone(definition, definition.screens[way.snapshot.value]!, way.snapshot, event), screenThing(next.value)])
        const mark = sign(next)
        if (seen.has(mark) && finds.length === 0) continue
        seen.add(mark)
        ways.push({ snapshot: next, first: way.first, steps: [...way.steps, { event, want, ...(operation ? { operation } : {}) }], finds })
      } catch (error) {
        if (!(error instanceof FlowFault)) throw error
      }
    }
  }
  return { ways: ways.map((way) => settled(way, compilation, world)), found }
}

/** A way that stops at a call goes on with what is well, for a talk shows pages. */
function settled(way: Way, compilation: Compilation, world: World): Way {
  let { snapshot } = way
  const steps = [...way.steps]
  for (let n = 0; n < CALLS_PER_TURN_MAX; n++) {
    const [well] = eventsAt({ ...way, snapshot, steps }, compilation, world)
    if (compilation.flow.want(snapshot).do !== 'call' || !well) break
    snapshot = compilation.flow.step(snapshot, well.event)
    steps.push({ ...well, want: compilation.flow.want(snapshot) })
  }
  return { ...way, snapshot, steps }
}

interface Next {
  event: FlowEvent
  operation?: string
}

function eventsAt({ snapshot, steps }: Way, { flow }: Compilation, world: World): Next[] {
  const want = flow.want(snapshot)
  if (want.do === 'notify') return [{ event: { type: 'ACK' } }]
  if (want.do === 'end') return []
  if (want.do === 'call') {
    const operation = `${want.backend}.${want.operation}`
    // One line of a talk says what an operation answers in a whole turn.
    const turn = steps.slice(steps.findLastIndex(({ event }) => event.type === 'ANSWER' || event.type === 'ACK') + 1)
    const said = turn.find((step) => step.operation === operation)
    if (said) return [{ event: said.event, operation }]
    return world.outcomes(snapshot.value).map(({ event }) => ({ event, operation }))
  }
  const context = contextOf(snapshot)
  const printed = [...want.text.matchAll(/^([\d*#]+)\. /gm)].map((line) => line[1]!)
  const keys = context.shown === null ? [...world.answers(want.screen), ...printed.filter((key) => !/^[1-9]/.test(key))] : printed
  const letters = context.find ? undefined : world.searched(want.screen, context)
  const wrong = world.givesUp(want.screen) ? ['?'.repeat(161)] : []
  return [...keys, ...(letters === undefined ? [] : [letters]), ...wrong].map((text) => ({ event: { type: 'ANSWER', text } }))
}

function talkOf({ first, steps, finds }: Way, language: string): string {
  const lines = [`talk ${finds.at(-1)}`, `language ${language}`]
  let turn = [`dial ${CODE}`]
  let stubs: string[] = []
  let want = first
  const told = new Set<string>()
  const close = () => {
    lines.push(...stubs, ...turn, ...(want.do === 'call' ? [] : pageOf(want)))
    stubs = []
  }
  for (const step of steps) {
    if (step.operation !== undefined) {
      const line = stubOf(step.operation, step.event)
      if (!told.has(line) && line !== '') stubs.push(line)
      for (const old of told) if (old.split(' ')[1] === step.operation) told.delete(old)
      told.add(line)
    } else {
      close()
      turn = [step.event.type === 'ANSWER' ? `> ${answerLine(step.event.text)}` : 'ack']
    }
    want = step.want
  }
  close()
  return `${lines.join('\n')}\n`
}

function pageOf(want: Exclude<Want, { do: 'call' }>): string[] {
  return [...want.text.split('\n').map((line) => `< ${line}`), ...(want.do === 'end' ? [`ended ${want.reason}`] : [])]
}

function stubOf(operation: string, event: FlowEvent): string {
  const isOurs = operation.startsWith(`${SUBSCRIBER}.`) || operation.startsWith(`${SMS}.`)
  if (event.type === 'RESULT') return isOurs ? '' : `backend ${operation} ${json(event.data)}`
  if (event.type === 'REFUSED') return `refuse ${operation} ${event.refusal}`
  return event.type === 'FAILED' ? `fail ${operation} ${event.why}` : ''
}

const json = (data: Json) => JSON.stringify(data)
const answerLine = (text: string) => (text.trim() === text && !text.startsWith('"') ? text : JSON.stringify(text))
