/** What is said to support in words: why a dialogue ended, what a back end answered. */
import type { EndReason } from '../ussd/index.ts'

const ENDS: Record<EndReason, string> = {
  completed: 'the flow came to its end',
  exit: 'the subscriber chose to leave',
  'subscriber-abort': 'the subscriber hung up',
  'network-abort': 'the network ended it',
  idle: 'no answer in time',
  total: 'it had lasted as long as a dialogue may',
  'backend-failed': 'a back end had no usable answer: see its call',
  'store-failed': 'Redis or the journal failed',
  'bind-lost': 'the line was lost, or is gone from the settings',
  refused: 'the network refused our screen',
  superseded: 'the subscriber dialled again',
  overload: 'too many were dialling',
  'too-many-wrong': 'too many answers that the screen did not take',
  'flow-gone': 'its flow or revision is no longer there',
  failed: 'a fault of ours: look in the log for its epoch',
  drained: 'the daemon stopped',
  operator: 'an operator ended it',
  recalled: 'an operator had recalled the flow',
  'answer-later': 'the answer was promised for later: see the deferred answer',
}

/** Why dials get a text in place of a dialogue. */
const REFUSALS: Readonly<Record<string, string>> = {
  overload: 'too many were dialling, or this one dialled too fast',
  'unknown-code': 'no service has this code on this line',
  'store-failed': 'Redis or the journal did not answer',
  'too-fast': 'more dials than one subscriber may make',
  drained: 'the daemon was stopping',
}

const DEFERRED: Readonly<Record<string, string>> = {
  shown: 'on the screen',
  sms: 'by SMS',
  void: 'not at all: its flow is gone, or the subscriber was in it again',
  'given-up': 'not at all: no daemon could tell it within an hour of its time',
}

const CALLS: Readonly<Record<string, string>> = {
  data: 'answered',
  held: 'answered too late for the dialogue: see the deferred answer',
  'failed:late': 'no answer in time: it may have been carried out',
  'failed:down': 'not reached, or it failed',
  'failed:nonsense': 'answered what nobody can use',
  'failed:refused-call': 'not allowed to be called',
}

export function callInWords(said: string): string {
  return CALLS[said] ?? (said.startsWith('refused:') ? `refused: ${said.slice(8)}` : said)
}

export function endInWords(kind: string, reason: string, detail: string): string {
  if (kind === 'refused') return REFUSALS[reason] ?? reason
  const how = kind === 'deferred' ? DEFERRED[detail] : undefined
  return [(ENDS as Record<string, string>)[reason] ?? reason, ...(how ? [`told ${how}`] : [])].join('; ')
}
