/** Long work in pieces: whoever has something more urgent to do does it at each `yield`. */

/** What the work comes to, done at once. */
export function toEnd<T>(pieces: Generator<undefined, T>): T {
  for (;;) {
    const { done, value } = pieces.next()
    if (done) return value as T
  }
}

/** The same with a pause after each piece. */
export async function inPieces<T>(pieces: Generator<undefined, T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const { done, value } = pieces.next()
    if (done) return value as T
    await pause()
  }
}
