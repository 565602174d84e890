/** docs/reference/STATUSES.md: what each command_status means, from the table by which the daemon decides. */
import { statusText } from '../../src/smpp/pdu/index.ts'
import { STATUS_ROWS, UNNAMED, type StatusPolicy } from '../../src/ussd/status-policy.ts'
import { answerFault, answerTold } from '../../src/simulator/smsc/answers.ts'
import { generated, table } from './page.ts'

const HEAD = `# Statuses

What each command_status of an SMSC means to the daemon (SMPP v3.4 §5.1.3), from the table by which it decides. The doctor and the
simulator decide by the same table.

| column | says |
|---|---|
| fault | whose it is: \`ours\` (the settings, or we are too fast), the \`subscriber\`'s (the handset or its number), the \`network\`'s, the \`smsc\`'s |
| screen | when a screen of an open dialogue is sent again; after \`never\` the dialogue ends as \`refused\` |
| push | when USSD that we begin may be tried again: \`next-second\`, the network is too busy; \`later\`, the subscriber cannot be reached now |
| SMS | when an SMS is sent again; after \`never\` it has failed |
| bind | when a bind is tried again; after \`never\` rarely, until a person has corrected the settings |

\`now\`: at once, once more, over any bind. \`next-second\`: after 1 to 1.2 s, because SMSCs count by the second; with SMS the whole line
pauses, and its pace is cut. \`later\`: an SMS waits 1 to 2 s, then twice as long after each refusal, up to a minute, 20 times at most; if the
subscriber is at fault, all SMS to that subscriber wait for 30 to 180 s, and no others.

A dialect says what differs at its SMSC, by number or for all others (\`"*"\`); what it leaves out is as below:

\`\`\`yaml
responses:
  statusMeaning:
    0x411: { whose: subscriber, push: later, sms: later }   # this vendor's "handset is off"
    0x423: { screen: next-second, sms: next-second }         # this vendor's "too fast"
\`\`\`

\`dialogue-gone\`, \`retry-once\` and \`dialect-wrong\` are the words of older profiles: \`{ screen: never }\`, \`{ screen: next-second }\` and
\`{ screen: never, whose: ours }\`. \`lines[].sms.statuses\` goes before the dialect, for SMS of one line: \`retry\` is later, \`pause\` next-second,
\`destination\` later and the subscriber's fault, \`fail\` never.
`

/** One of each kind. */
const TRIED = [
  'sms=ESME_RTHROTTLED',
  'sms=ESME_RMSGQFUL',
  'sms=ESME_RSYSERR@20%',
  'sms=ESME_RINVDSTADR*1',
  'ussd=ESME_RTHROTTLED*2',
  'ussd=ESME_RMSGQFUL*1',
  'ussd=ESME_RINVBNDSTS*1',
  'ussd=ESME_RX_P_APPN',
]

const TRY = `## Try one

The simulator answers any of them, by name or number: \`ussd-connector simulate --answer sms=ESME_RMSGQFUL ussd=0x58*2\` (or, while it runs,
\`POST /api/faults\` with \`{ "on": "submit_sm", "lane": "sms", "act": { "is": "refuse", "status": "ESME_RMSGQFUL" } }\`). It says what a daemon then does, from the same table:
`

export function statusesPage(): string {
  const rows = STATUS_ROWS.map(({ from, to, means, ...policy }) => [nameOf(from, to), means, ...cells(policy)])
  const all = table(
    ['status', 'means', 'fault', 'screen', 'push', 'SMS', 'bind'],
    [...rows, ['any other', '', ...cells(UNNAMED)]],
  )
  const tried = TRIED.map((written) => [`\`${written}\``, answerTold(answerFault(written))])
  return generated(HEAD, `${all}\n\n${TRY}\n${table(['\`--answer\`', 'what it says'], tried)}`)
}

function nameOf(from: number, to: number): string {
  return from === to ? statusText(from) : `${statusText(from)} to ${statusText(to)}`
}

function cells({ whose, screen, push, sms, bind }: StatusPolicy): string[] {
  return [whose, screen, push, sms, bind]
}
