/** COPY … FROM STDIN through `pg`, which leaves to its caller what is sent. (Protocol 3.0, "COPY Operations") */
import type { Connection } from './sql.ts'

type Answered = Parameters<Connection['query']>[1]

/** The part of pg's connection that is needed here. */
interface Wire {
  query(text: string): void
  sendCopyFromChunk(octets: Uint8Array): void
  endCopyFrom(): void
}

const DONE: Parameters<Answered>[1] = { command: 'COPY', rows: [] }

/** What `query` of a connection takes in place of a statement. */
export class CopyIn {
  readonly text: string
  readonly #octets: Uint8Array
  /** pg calls it. Set by `query`. */
  callback: Answered | undefined

  constructor(text: string, octets: Uint8Array) {
    this.text = text
    this.#octets = octets
  }

  submit(wire: Wire): null {
    wire.query(this.text)
    return null
  }

  /** The server discards what comes after an error, so all may be sent at once. */
  handleCopyInResponse(wire: Wire): void {
    wire.sendCopyFromChunk(this.#octets)
    wire.endCopyFrom()
  }

  handleCommandComplete(): void {
    // Only the end of it counts: an index may refuse rows before that.
  }

  handleError(error: Error): void {
    this.#answer(error)
  }

  handleReadyForQuery(): void {
    this.#answer(null)
  }

  #answer(error: Error | null): void {
    const { callback } = this
    this.callback = undefined
    callback?.(error, DONE)
  }
}
