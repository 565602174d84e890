/** What the admin server answers about flows, subscribers, SMS and pushes, as schemas. */
import { z } from 'zod'
import { momentText } from './fleet-answers.ts'

const count = z.number().int().min(0)
const ms = z.number().describe('milliseconds')
const unixMs = z.number().describe('Unix time in milliseconds')

/** Every refusal and every failure. */
export const errorAnswer = z.looseObject({
  error: z.string().describe('what is wrong, and often the remedy'),
  problems: z.array(z.string()).optional().describe('each at its place'),
  try: z.union([z.string(), z.array(z.string())]).optional(),
  needs: z.string().optional().describe('the role that the token lacks'),
  is: z.string().optional().describe('the same as a word'),
})

const stand = z.object({
  revision: z.string(),
  canary: z
    .object({ revision: z.string(), share: z.number().describe('per cent') })
    .nullable()
    .describe('the trial'),
})

export const flowsAnswer = z.object({
  flows: z.array(
    stand.extend({
      name: z.string(),
      file: z.string().nullable(),
      recalled: z.array(z.string()),
      replaced: z.string().nullable(),
      decided: z.object({ by: z.string(), note: z.string(), atMs: unixMs }).nullable(),
      problems: z.array(z.string()),
    }),
  ),
})

export const revisionsAnswer = z.object({
  revisions: z.array(
    z.object({
      revision: z.string(),
      by: z.string(),
      note: z.string(),
      createdMs: unixMs,
      servedMs: unixMs.nullable(),
      is: z.enum(['active', 'canary', 'recalled', '']),
      open: count.nullable().describe('dialogues, as counted last; null: not counted yet'),
    }),
  ),
  counted: z.boolean().describe('false: only some dialogues were counted, or none yet'),
  countedAgeMs: ms.nullable(),
})

export const flowHistoryAnswer = z.object({
  events: z.array(
    z.object({
      at: momentText,
      flow: z.string(),
      did: z.string(),
      revision: z.string().nullable(),
      before: z.string().nullable(),
      share: z.number().nullable().describe('hundredths of a per cent'),
      by: z.string(),
      reason: z.string(),
      instance: z.string(),
      file: z.string().nullable(),
      hash: z.string().nullable(),
    }),
  ),
})

const counts = z.record(z.string(), count)
export const funnelAnswer = z.object({
  flow: z.string(),
  since: momentText.describe('of what was added up, which may be wider than what was asked for'),
  until: momentText,
  zone: z.string(),
  active: z.string().nullable(),
  canary: z.string().nullable(),
  answeredWithin: z.array(z.number()).describe('the bounds of times, in seconds'),
  revisions: z.array(
    z.object({
      revision: z.string(),
      dialogues: count,
      ended: counts,
      cut: count,
      screens: z.array(
        z.object({
          screen: z.string(),
          reached: count,
          answered: count,
          left: counts.describe('dialogues that ended here, by reason'),
          chosen: counts.describe('by key'),
          times: z.array(count),
          halfS: z.number().nullable(),
          mostS: z.number().nullable(),
        }),
      ),
    }),
  ),
  isCut: z.boolean(),
})

const namedText = z.object({ file: z.string(), text: z.string() })
const flowFiles = namedText.extend({ catalogues: z.array(namedText) })
export const flowSourceAnswer = flowFiles.extend({
  parts: z.array(flowFiles).optional(),
  backends: z.array(namedText).optional(),
})

export const flowChangeAnswer = z.object({
  before: stand.nullable(),
  after: stand,
  open: count.nullable().optional().describe('of a recall: its dialogues, as counted last'),
  openAgeMs: ms.nullable().optional(),
})

const dialogueSummary = z.object({
  group: z.string(),
  msisdn: z.string(),
  line: z.string(),
  epoch: z.string(),
  status: z.enum(['taken', 'resting', 'ended']),
  flow: z.string().describe('the revision; empty during the first turn'),
  turn: count,
  openedMs: unixMs,
  touchedMs: unixMs,
  ended: z.string().nullable(),
})
export const dialoguesAnswer = z.object({ dialogues: z.array(dialogueSummary) })
export const dialogueEndAnswer = z.object({ ended: dialogueSummary })

const storyDialogue = z.object({
  epoch: z.string(),
  kind: z.enum(['dialogue', 'deferred', 'refused']),
  isOpen: z.boolean(),
  openedAt: momentText,
  endedAt: momentText,
  line: z.string(),
  code: z.string(),
  flow: z.string(),
  language: z.string(),
  channel: z.string(),
  instance: z.string(),
  turns: count,
  totalMs: ms,
  waitMs: ms,
  backendMs: ms,
  reason: z.string(),
  why: z.string(),
  steps: z.array(
    z.object({
      screen: z.string(),
      lines: z.array(z.string()),
      key: z.string().nullable().describe('null: it was typed, and is not kept'),
      chose: z.string().optional(),
      isUnsure: z.literal(true).optional(),
      isAck: z.literal(true).optional(),
      isSecret: z.literal(true).optional(),
      seconds: z.number(),
    }),
  ),
  calls: z.array(
    z.object({
      turn: count,
      n: count,
      backend: z.string(),
      operation: z.string(),
      changes: z.boolean(),
      said: z.string(),
      ms,
      atMs: ms.describe('since the dialogue began'),
      key: z.string(),
      words: z.string(),
    }),
  ),
  isCut: z.boolean(),
  last: z.object({ screen: z.string(), lines: z.array(z.string()) }),
})

const storySms = z.object({
  id: z.string(),
  kind: z.string(),
  owner: z.string(),
  state: z.string(),
  line: z.string(),
  attempts: count,
  askedAt: momentText,
  leavesAt: momentText.nullable(),
  sentAt: momentText.nullable(),
  settledAt: momentText.nullable(),
  reason: z.string(),
  receipts: z.array(z.object({ part: count, state: z.string(), id: z.string() })),
})

export const storyAnswer = z.object({
  msisdn: z.string(),
  subscriber: z.string().describe('the hash by which the log names the number'),
  since: momentText,
  until: momentText,
  zone: z.string(),
  dialogues: z.array(storyDialogue),
  sms: z.array(storySms),
  isCut: z.boolean(),
})

export const dialogueStoryAnswer = z.object({
  msisdn: z.string(),
  subscriber: z.string(),
  zone: z.string(),
  dialogues: z.array(storyDialogue),
})

export const subscriberHashAnswer = z.object({ subscriber: z.string() })

export const erasedAnswer = z.object({
  subscriber: z.string().describe('the hash by which the log names the number'),
  dialogues: count.describe('records of the dialogue store'),
  modules: count.describe('rows of modules of back ends'),
  deferred: count.describe('deferred answers that were owed'),
  pin: count,
  language: count,
  sms: count.describe('rows of SMS, receipts and incoming SMS'),
  texts: count.describe('dialogues of which there were exact texts'),
  records: count.describe('call detail records with a keyed hash in place of the number, now'),
  optOut: z.enum(['none', 'removed', 'kept']).describe('the wish for no SMS'),
  files: z.array(z.string()).describe('numbers of files for mediation that have it: handed over, and not reached'),
  isInFiles: z.boolean().describe('records go to files alone: files of all daemons may have it'),
  failed: z.array(z.object({ backend: z.string(), why: z.string() })).describe('modules that removed nothing'),
  daemons: z.array(z.string()).describe('daemons that may have answers of back ends in memory'),
  notIncluded: z.string().describe('what nobody reaches from here'),
})

const smsSummary = z.object({
  id: z.string(),
  msisdn: z.string(),
  kind: z.string(),
  owner: z.string(),
  state: z.string(),
  line: z.string(),
  parts: count,
  attempts: count,
  status: z.number().int().nullable(),
  dueAt: momentText,
  wakeAt: momentText.nullable(),
  submittedAt: momentText.nullable(),
  settledAt: momentText.nullable(),
  reason: z.string(),
})

const keyedSms = z.object({
  id: z.string(),
  key: z.string(),
  class: z.string(),
  state: z.string(),
  dueAt: momentText,
  wakeAt: momentText.nullable(),
  submittedAt: momentText.nullable(),
  settledAt: momentText.nullable(),
})

/** By key: one; by number or state: a list. */
export const smsFoundAnswer = z.union([
  keyedSms,
  z.object({
    sms: z.array(smsSummary),
    next: z.string().nullable().optional().describe('the cursor of the next page'),
  }),
])

export const smsPutAnswer = z.object({
  is: z.enum(['accepted', 'known', 'replaced']),
  key: z.string(),
  state: z.string(),
  dueAt: momentText.describe('what was asked for'),
  wakeAt: momentText.describe('when it leaves'),
  moved: z.enum(['earlier', 'later']).optional().describe('by quiet hours'),
})

export const doneAnswer = z.object({ is: z.string() })

export const pushAnswer = z.object({
  is: z.enum(['shown', 'busy', 'unsent', 'unknown', 'no-flow', 'absent', 'later', 'unsupported', 'bad-number']),
  status: z.number().int().optional().describe('of the SMSC, if the network refused'),
  epoch: z.string().optional(),
  sms: z.boolean().describe('an SMS is owed instead'),
})
