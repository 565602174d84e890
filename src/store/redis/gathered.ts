/**
 * What is asked of Redis in one turn of the event loop leaves together: many questions of one kind as one command,
 * which costs both ends less, and all commands in one write. (Measured: with scripts, ioredis's own auto-pipelining is
 * slower than that.)
 */
import type { Writable } from 'node:stream'
import { mastersOf, type Client } from './servers.ts'

/** One turn of the event loop: what leaves at its end. */
export interface LoopTurn {
  /** Call it before a command: the command then leaves with the others. */
  cork(): void
  /** Runs before the write of this loop turn, once for each `run`. */
  atEnd(run: () => void): void
}

export function loopTurn(client: Client): LoopTurn {
  let corked: Writable[] | undefined
  const last: (() => void)[] = []
  const release = () => {
    for (const run of last) run()
    last.length = 0
    const streams = corked ?? []
    corked = undefined
    for (const stream of streams) stream.uncork()
  }
  const cork = () => {
    if (corked) return
    corked = mastersOf(client).flatMap((node) => {
      const { stream } = node as unknown as { stream?: Writable }
      return node.status === 'ready' && stream ? [stream] : []
    })
    for (const stream of corked) stream.cork()
    setImmediate(release)
  }
  return {
    cork,
    atEnd(run) {
      cork()
      if (!last.includes(run)) last.push(run)
    },
  }
}

/** The most questions in one command: Redis serves nobody else during it. */
const TOGETHER_MAX = 100

/**
 * Collects questions until the loop turn ends, or until there are too many. `send` asks all of them at once and resolves
 * with their answers in order; an Error among them is the answer to one question. If it rejects, each question is
 * rejected. All that are asked together wait for one promise.
 */
export function gathered<Question, Answer>(
  loopTurn: LoopTurn,
  send: (questions: Question[]) => Promise<readonly (Answer | Error)[]>,
): (question: Question) => Promise<Answer> {
  let asking: { questions: Question[]; answers: Promise<readonly (Answer | Error)[]>; leave: () => void } | undefined
  const flush = () => {
    asking?.leave()
    asking = undefined
  }
  const begun = () => {
    const questions: Question[] = []
    let leave!: () => void
    const answers = new Promise<readonly (Answer | Error)[]>((done) => (leave = () => done(send(questions))))
    return { questions, answers, leave }
  }
  return (question) => {
    const { questions, answers } = (asking ??= begun())
    const at = questions.push(question) - 1
    if (questions.length >= TOGETHER_MAX) flush()
    else if (at === 0) loopTurn.atEnd(flush)
    return answers.then((all) => {
      const answer = all[at]!
      if (answer instanceof Error) throw answer
      return answer
    })
  }
}
