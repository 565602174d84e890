/** Plays the keys of a dialogue again, on another revision of its flow, with the answers that back ends gave. */
import { FlowFault } from '../../base/index.ts'
import type { CallOutcome, CallWant, FlowEvent, FlowSnapshot } from '../../flow/engine/index.ts'
import type { Dialogue } from './phone.ts'

/** A way with more screens and calls than this is a circle. */
const STEPS_MAX = 2_000

/** A dialogue rests as JSON. */
export const stored = (snapshot: FlowSnapshot) => JSON.parse(JSON.stringify(snapshot)) as FlowSnapshot

/**
 * The dialogue on the flow of `next`, which has no events yet. A call that was not made before is made with `call`, if it changes
 * nothing. The result is a text if the keys cannot be played there: why.
 */
export async function replayed(
  next: Dialogue,
  before: Dialogue['events'],
  call: (want: CallWant, at: FlowSnapshot) => Promise<CallOutcome>,
): Promise<Dialogue | string> {
  try {
    return await played(next, before, call)
  } catch (error) {
    if (!(error instanceof FlowFault)) throw error
    return `The new file fails on this way (${error.message})`
  }
}

async function played(
  { flow, input, events, visited, ...rest }: Dialogue,
  before: Dialogue['events'],
  call: (want: CallWant, at: FlowSnapshot) => Promise<CallOutcome>,
): Promise<Dialogue | string> {
  const pressed = before.filter(({ operation }) => operation === undefined)
  const outcomes = before.filter(({ operation }) => operation !== undefined)
  let at = flow.begin(input)
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    const want = flow.want(at)
    let event: FlowEvent
    if (want.do === 'call') {
      const operation = `${want.backend}.${want.operation}`
      const known = outcomes.findIndex((one) => one.operation === operation)
      if (known < 0 && want.once)
        return `The keys now lead over ${operation}, which changes something and was not called`
      if (known < 0) await call(want, at)
      else events.push(...outcomes.splice(known, 1))
      event = events.at(-1)!.event
    } else {
      at = stored(at)
      visited.push(want.screen)
      const key = keyFor(want.do, pressed)
      if (!key) return { ...rest, flow, input, events, visited, snapshot: at, want }
      events.push({ event: key })
      event = key
    }
    at = flow.step(at, event)
  }
  return 'The keys now lead in a circle'
}

/** The next thing that was pressed, if the screen takes something. A notice is acknowledged by the handset itself. */
function keyFor(does: 'ask' | 'notify' | 'end', pressed: Dialogue['events']): FlowEvent | undefined {
  if (does === 'end') return undefined
  const wanted = does === 'notify' ? 'ACK' : 'ANSWER'
  while (pressed[0] && pressed[0].event.type !== wanted) {
    if (wanted === 'ACK') return { type: 'ACK' }
    pressed.shift()
  }
  return pressed.shift()?.event
}
