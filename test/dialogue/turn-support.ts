/** Turns for tests: a record, and flows whose states say by name what they want. */
import type { DialogueRecord } from '../../src/dialogue/types.ts'
import type { CompiledFlow, FlowEvent, FlowInput, Want } from '../../src/flow/engine/types.ts'

export const START = Date.parse('2025-05-01T09:00:00+10:00')
export const PAGE = { septets: 182, ucs2: 80 }
export const RECORD: DialogueRecord = {
  key: { group: 'g', msisdn: '67570000001' },
  epoch: 'E1',
  status: 'taken',
  network: 'n7',
  turn: 3,
  revision: 'shop@1',
  code: '*123#',
  line: 'digicel',
  snapshot: { value: 'asked', context: {} },
  answer: { kind: 'input', text: '2', step: null },
  reply: null,
  returnPath: { from: [1, 1, '67570000001'], to: [0, 1, '123'], serviceType: '', carrier: '' },
  openedMs: START,
  touchedMs: START,
  ended: null,
}

/** A flow whose states say by name what they want; every step is written down. */
export function flowOf(
  name: string,
  revision: string,
  wants: Record<string, Want>,
  next: (event: FlowEvent) => string = () => 'asked',
) {
  const begun: FlowInput[] = []
  const stepped: FlowEvent[] = []
  const flow: CompiledFlow = {
    name,
    revision,
    languages: ['en'],
    backends: ['shop'],
    begin: (input) => (begun.push(input), { value: 'first', context: { language: 'tpi' } }),
    step: (snapshot, event) => (stepped.push(event), { value: next(event), context: snapshot.context }),
    want: ({ value }) => wants[value]!,
    text: (key) => key,
    changes: () => false,
    resumable: (snapshot) => snapshot.value === 'asked',
  }
  return { flow, begun, stepped }
}

export const ask: Want = { do: 'ask', text: 'How many?', screen: 's' }
export const call: Extract<Want, { do: 'call' }> = {
  do: 'call',
  screen: 's',
  backend: 'shop',
  operation: 'buy',
  args: { n: 2 },
  once: true,
}
