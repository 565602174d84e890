/** What became of a test dial: one word for metrics, and for people why, and what to do. */

/** Each word is a metrics label. What is not `ok` has its remedy here. */
export const TEST_DIAL_REMEDIES = {
  ok: '',
  'line-down': 'ussd-connector lines says why the line is not bound',
  'turned-away': 'unknown-code: no service of this line has the code; a limit: docs/LIFECYCLE.md, "Admission"',
  store: '/ready names the store that does not answer; the log line "dialogue store failed"',
  dialect: 'the dialect of this line cannot be dialled from here: use testDials.dialler, through the network',
  flow: 'ussd-connector flow status; the error in the log at that time',
  'back-end': 'the log line "back end failed" says why; backend_calls_total by back end',
  'would-change': 'nothing was changed; test a code whose first screen comes before that call',
  'no-answer':
    'something takes longer than timeoutMs: backend_call_seconds by back end; through the network: is the code routed to us?',
  unexpected: 'dial it by hand; if the flow was changed on purpose, change testDials.expect, too',
  dialler: 'look at the dialler: the modem, its SIM and its credit, or the program behind testDials.dialler.url',
} as const

export type TestDialResult = keyof typeof TEST_DIAL_REMEDIES

export interface TestDialOutcome {
  result: TestDialResult
  /** In a few words, without a text of a screen or a number. '' if it is ok. */
  why: string
  /** From the dial to the first screen, or to the failure. */
  ms: number
  /** The first screen, for who asked for this dial. */
  text?: string
}

/** What was heard of a dial, before anybody knows whether it was expected. */
export type TestDialHeard = Omit<TestDialOutcome, 'ms'>

/** A first screen that came, held against what the settings expect. */
export function judged(text: string, expected: ((text: string) => boolean) | undefined): TestDialHeard {
  if (expected && !expected(text))
    return { result: 'unexpected', why: 'the first screen is not the expected one', text }
  return { result: 'ok', why: '', text }
}
