/** Work counted, not timed: how much of which texts regular expressions, segmenters and normalisers looked at. */

export interface Work {
  /** UTF-16 units that were looked at, each time anew. */
  units: number
  /** Expressions whose time grows with the square of a text, which met a long one. */
  squares: string[]
  /** The longest run of combining marks that was put in order. */
  marks: number
}

/** A text over this is long. */
const LONG = 1_000

export async function workOf(run: () => Promise<void>): Promise<Work> {
  const work: Work = { units: 0, squares: [], marks: 0 }
  const squares = new Set<string>()
  const restore = [
    wrapped(RegExp.prototype, 'exec', function count(this: RegExp, text: string) {
      // A global one goes on from match to match: its text counts once.
      work.units += this.lastIndex === 0 ? text.length : 1
      if (text.length > LONG && isSquare(this)) squares.add(String(this))
    }),
    wrapped(Intl.Segmenter.prototype, 'segment', (text: string) => void (work.units += text.length)),
    wrapped(Object.getPrototypeOf('') as { normalize(): string }, 'normalize', function count(this: string) {
      work.units += this.length
      work.marks = Math.max(work.marks, longestRun(this))
    }),
  ]
  try {
    await run()
  } finally {
    for (const back of restore) back()
  }
  return { ...work, squares: [...squares] }
}

/** Calls `before` with the same arguments first. Answers what undoes it. */
function wrapped<T extends object>(owner: T, name: keyof T & string, before: (...given: never[]) => void): () => void {
  const whole = Object.getOwnPropertyDescriptor(owner, name)!
  const real = owner[name] as (...given: unknown[]) => unknown
  Object.defineProperty(owner, name, {
    ...whole,
    value(this: unknown, ...given: unknown[]) {
      Reflect.apply(before, this, given)
      return Reflect.apply(real, this, given)
    },
  })
  return () => void Object.defineProperty(owner, name, whole)
}

/** Two open repetitions one after the other, or one before an end, tried from every place of the text. */
function isSquare({ source }: RegExp): boolean {
  const bare = source.replace(/\\u\{?[0-9a-f]+\}?|\\p\{\w+\}|\\./gi, 'a').replace(/\[[^\]]*\]/g, 'a')
  if (bare.startsWith('^')) return false
  const open = bare.match(/[*+]|\{\d+,\}/g)?.length ?? 0
  return open > 1 || (open === 1 && /\$/.test(bare))
}

function longestRun(text: string): number {
  let [longest, here] = [0, 0]
  for (const character of text) {
    here = character >= '\u0300' && character <= '\u036f' ? here + 1 : 0
    longest = Math.max(longest, here)
  }
  return longest
}
