/** The path of a call detail record, read: `main:1/4>sure:2/11` is two steps (docs/RECORDS.md). Pure. */

export interface PathStep {
  screen: string
  /** The key of the choice; null: it was typed, or no menu knew it. */
  key: string | null
  /** The network acknowledged a notification. */
  isAck?: true
  /** For how long the subscriber was waited for. */
  seconds: number
}

const STEP = /^([^:>]+):([^/]*)\/(\d+)$/

/** `isCut`: there were more steps than a record keeps. */
export function stepsOf(path: string): { steps: PathStep[]; isCut: boolean } {
  const parts = path === '' ? [] : path.split('>')
  const isCut = parts.at(-1) === '+'
  const steps = parts.flatMap((part): PathStep[] => {
    const [, screen, heard = '', seconds] = STEP.exec(part) ?? []
    if (screen === undefined) return []
    const isAck = heard === 'ack'
    return [
      {
        screen,
        key: isAck || heard === '*' ? null : heard,
        seconds: Number(seconds),
        ...(isAck ? { isAck: true } : {}),
      },
    ]
  })
  return { steps, isCut }
}
