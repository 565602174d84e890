/** Long work in pieces: at each `yield` the caller may do something more urgent. */
import { stretch, type StretchPlace } from './stretch.ts'

/** The result of the work, done at once. */
export function toEnd<T>(pieces: Generator<undefined, T>): T {
  for (;;) {
    const { done, value } = pieces.next()
    if (done) return value as T
  }
}

/** The same with a pause after each piece. */
export async function inPieces<T>(
  where: StretchPlace,
  pieces: Generator<undefined, T>,
  pause: () => Promise<void>,
): Promise<T> {
  for (;;) {
    const { done, value } = stretch(where, () => pieces.next())
    if (done) return value as T
    await pause()
  }
}
