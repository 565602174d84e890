/** Flows for tests: written in place, compiled, played by hand. */
import type { CallOutcome, CallWant } from '../../src/flow/engine/advance.ts'
import { advance } from '../../src/flow/engine/advance.ts'
import { compileFlow } from '../../src/flow/load/compile.ts'
import type { CompiledFlow, FlowEvent, FlowInput, FlowSnapshot } from '../../src/flow/engine/types.ts'
import { USSD_PAGE } from '../../src/ussd/vocabulary.ts'

/** The text of a flow file: a head, and these screens. */
export const fileOf = (screens: string, head = 'start: main\nlanguages: [en]') =>
  `flow: test\nspec: 1\n${head}\nscreens:\n${screens.replace(/^\n+/, '')}`

/** Compiles screens written in place. */
export function flowOf(screens: string, head?: string, catalogues: { file: string; text: string }[] = []) {
  return compileFlow({ file: 'test.yaml', text: fileOf(screens, head), catalogues })
}

export const stored = (snapshot: FlowSnapshot) => JSON.parse(JSON.stringify(snapshot)) as FlowSnapshot

type Answers = (want: CallWant, n: number) => CallOutcome

/** A subscriber's handset: the snapshot goes through JSON between any two turns. */
export function handset(flow: CompiledFlow, answers: Answers = () => ({ is: 'data', data: {} })) {
  let snapshot: FlowSnapshot | undefined
  const turn = async (from: FlowSnapshot, event: FlowEvent | null) => {
    const played = await advance(flow, stored(from), event, async (want, n) => answers(want, n))
    snapshot = stored(played.snapshot)
    return played.want
  }
  return {
    dial: (input: Partial<FlowInput> = {}) =>
      turn(
        flow.begin({
          msisdn: '67570000001',
          code: '*1#',
          line: 'a',
          language: 'en',
          dialled: [],
          page: USSD_PAGE,
          ...input,
        }),
        null,
      ),
    answer: (text: string) => turn(snapshot as FlowSnapshot, { type: 'ANSWER', text }),
    send: (event: FlowEvent) => turn(snapshot as FlowSnapshot, event),
    snapshot: () => snapshot as FlowSnapshot,
  }
}
