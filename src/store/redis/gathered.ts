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
 * Collects questions until the loop turn ends, or until there are too many. `send` asks all of them at once and returns
 * their answers in order; an Error among them is the answer to one question. It does not throw; if it rejects, each
 * question is rejected.
 */
export function gathered<Question, Answer>(
  loopTurn: LoopTurn,
  send: (questions: Question[]) => Promise<readonly (Answer | Error)[]>,
): (question: Question) => Promise<Answer> {
  let questions: Question[] = []
  let waiting: { done(answer: Answer): void; failed(error: unknown): void }[] = []
  const flush = () => {
    if (questions.length === 0) return
    const [asked, asking] = [questions, waiting]
    questions = []
    waiting = []
    send(asked).then(
      (answers) =>
        asking.forEach(({ done, failed }, i) => {
          const answer = answers[i]!
          if (answer instanceof Error) failed(answer)
          else done(answer)
        }),
      (error: unknown) => asking.forEach(({ failed }) => failed(error)),
    )
  }
  return (question) =>
    new Promise((done, failed) => {
      questions.push(question)
      if (waiting.push({ done, failed }) >= TOGETHER_MAX) flush()
      else if (waiting.length === 1) loopTurn.atEnd(flush)
    })
}
