/**
 * The evening of twelve questions: three daemons on one Redis and one Postgres, our simulator and an SMSC that shares no
 * code with it, some 2,000 subscribers, one fault after the other. For each question of a night shift: the command, what it
 * says, and how long it took. Writes docs/EVENING.md. `npm run evening`; some six minutes.
 */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { maskMsisdn } from '../src/base/index.ts'
import { openEvening, pause, type Evening } from './evening-stage.ts'
import { root } from './processes.ts'

interface Answered {
  question: string
  fault: string
  command: string
  said: string
  code: number
  seconds: number
}

interface Question {
  question: string
  /** What is done to the fleet first, in words. */
  fault: string
  break(evening: Evening): Promise<unknown>
  /** How long a night shift has not noticed. */
  waitMs: number
  words(evening: Evening): string[]
  /** Lines of the answer that are shown. */
  shows?: RegExp
  mend(evening: Evening): Promise<unknown>
}

const LINES_SHOWN = 22
const none = async () => undefined

const QUESTIONS: Question[] = [
  {
    question: 'Which line is down, since when, why?',
    fault: 'the link of line `north` is cut: connections are reset, new ones refused',
    break: ({ north }) => north.proxy.set({ is: 'refuse' }),
    waitMs: 15_000,
    words: () => ['lines'],
    shows: /^(BIND|north)|refused|since/,
    mend: ({ north }) => north.proxy.set({ is: 'pass' }),
  },
  {
    question: 'Is a dial served now?',
    fault: 'the operator changed the password of `north`, and cut the link',
    break: (evening) => evening.wrongPassword(),
    waitMs: 12_000,
    words: () => ['test-dial'],
    mend: (evening) => evening.rightPassword(),
  },
  {
    question: 'Is an alarm out, on which daemon, and what do I do?',
    fault: 'Postgres refuses connections',
    break: ({ postgres }) => postgres.set({ is: 'refuse' }),
    waitMs: 30_000,
    words: () => ['alarms'],
    mend: ({ postgres }) => postgres.set({ is: 'pass' }),
  },
  {
    question: 'How full is the window, and how fast does the SMSC answer?',
    fault: 'Redis answers 300 ms late',
    break: ({ redis }) => redis.set({ is: 'delay', ms: 300 }),
    waitMs: 15_000,
    words: () => ['lines', '--json'],
    shows: /"(name|instance|received|sent|failed|p95Ms|slots|taken)"/,
    mend: ({ redis }) => redis.set({ is: 'pass' }),
  },
  {
    question: 'Why do subscribers of one service get an apology?',
    fault: 'the back end of `*124#` is down',
    break: (evening) => evening.shopDown(),
    waitMs: 3_000,
    words: () => ['test-dial', 'north', '*124#'],
    mend: (evening) => evening.shopUp(),
  },
  {
    question: 'Which daemon is old?',
    fault: 'a daemon of an earlier release is in the fleet (its row, as it writes it)',
    break: (evening) => evening.oldDaemon(),
    waitMs: 2_000,
    words: () => ['status'],
    mend: none,
  },
  {
    question: 'What is in force where?',
    fault: 'somebody tries a revision on a tenth of the subscribers',
    break: (evening) => evening.tryRevision(),
    waitMs: 6_000,
    words: () => ['flow', 'list', 'walk'],
    mend: none,
  },
  {
    question: 'What changed last, and by whom?',
    fault: 'the same trial',
    break: none,
    waitMs: 2_000,
    words: ({ config }) => ['audit', '-c', config('a'), '--since', '1h', '--last', '6'],
    mend: none,
  },
  {
    question: 'What will this reload do?',
    fault: 'somebody edited the settings of daemon `a`: a text, the cap of a line, the outbox',
    break: (evening) => evening.editSettings(),
    waitMs: 500,
    words: () => ['reload', '--dry-run'],
    mend: none,
  },
  {
    question: 'Which SMS failed, and why?',
    fault: 'the network refuses an SMS: the number is wrong',
    break: (evening) => evening.refuseSms(),
    waitMs: 8_000,
    words: () => ['sms', 'list', '--state', 'failed', '--since', '1h'],
    mend: none,
  },
  {
    question: 'What did this subscriber see?',
    fault: 'a subscriber of the foreign SMSC walks three screens, hangs up and complains',
    break: (evening) => evening.complaint(),
    waitMs: 8_000,
    words: ({ complainer }) => ['subscriber', 'show', complainer, '--since', '30m'],
    mend: none,
  },
  {
    question: 'Where do subscribers leave?',
    fault: 'none: the traffic of the evening',
    break: none,
    waitMs: 1_000,
    words: () => ['flow', 'funnel', 'walk', '--since', '1h'],
    mend: none,
  },
  {
    question: 'A daemon died. What may I safely do now?',
    fault: 'daemon `b` gets kill -9',
    break: (evening) => evening.kill('b'),
    waitMs: 22_000,
    words: () => ['status'],
    mend: none,
  },
]

async function asked(evening: Evening, { question, fault, words, shows }: Question): Promise<Answered> {
  const all = words(evening)
  const startedMs = performance.now()
  const { code, said } = await promisify(execFile)(process.execPath, [evening.cli, ...all], { env: evening.env }).then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      said: error.stdout + error.stderr,
    }),
  )
  const seconds = (performance.now() - startedMs) / 1_000
  const command = ['ussd-connector', ...all].map((word) => (/[*#\s]/.test(word) ? `'${word}'` : word)).join(' ')
  const lines = said.split('\n').filter((line) => line.trim() !== '' && (!shows || shows.test(line)))
  const shown = lines.slice(0, LINES_SHOWN)
  if (lines.length > shown.length) shown.push(`… ${lines.length - shown.length} more lines`)
  return { question, fault, command: withoutNumbers(command), said: withoutNumbers(shown.join('\n')), code, seconds }
}

/** Numbers of subscribers are masked; ports and folders of this run say nothing. */
function withoutNumbers(text: string): string {
  return text
    .replaceAll(/\b67\d{9}\b/g, maskMsisdn)
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replaceAll(/\/tmp\/[\w-]+\//g, '/etc/ussd-connector/')
    .split('\n')
    .map((line) => line.trimEnd().slice(0, 200))
    .join('\n')
}

function page(answers: readonly Answered[], { evening, load }: { evening: Evening; load: number }): string {
  const rows = answers.map(
    (one) => `| ${one.question} | \`${one.command.replaceAll('|', '\\|')}\` | ${one.seconds.toFixed(1)} |`,
  )
  const each = answers.map(
    ({ question, fault, command, said, code }) =>
      `### ${question}\n\nBefore: ${fault}.\n\n\`\`\`\n$ ${command}\n${said}\n(exit code ${code})\n\`\`\`\n`,
  )
  return `# An evening of questions

Written by \`npm run evening\` (\`bench/evening.ts\`), which anybody can play again: three daemons on one Redis and one Postgres, a line to our simulator and one to an SMSC made of npm \`smpp\`, ${evening.subscribers().toLocaleString('en')} subscribers one after the other at
${evening.perSecond} turns a second, and one fault after the other. Each question has one command; the seconds are those of the whole command, on a machine with a load of ${load.toFixed(1)} at the end. Numbers are masked, ports and folders replaced.

In all, ${evening.turns()} turns were played, ${evening.lost()} of them lost to the faults. The web-hook took ${evening.alarms().length} alarms: ${[...new Set(evening.alarms())].join(', ') || 'none'}.

What the evening does not have: a modem, an SMSC of an operator, and a certificate that ends (\`test/watch/certificates.test.ts\` has one). The old daemon is a row, not a process.

| question | command | seconds |
|---|---|---|
${rows.join('\n')}

${each.join('\n')}`
}

async function main(): Promise<void> {
  const evening = await openEvening((line) => console.error(line))
  try {
    const answers: Answered[] = []
    for (const one of QUESTIONS) {
      await one.break(evening)
      await pause(one.waitMs)
      const answer = await asked(evening, one)
      console.error(`${answer.seconds.toFixed(1)} s  ${one.question}\n${answer.said}\n`)
      answers.push(answer)
      await one.mend(evening)
      await pause(5_000)
    }
    writeFileSync(join(root, 'docs/EVENING.md'), page(answers, { evening, load: loadavg()[0]! }))
  } finally {
    await evening.close()
  }
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    console.error(error.stack)
    process.exit(1)
  },
)
