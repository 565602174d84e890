/** Where a push goes: the line, the dialogue that it opens there, and the addresses. */
import type { DialogueKey, DialogueStore } from '../dialogue/index.ts'
import type { Line } from '../smpp/index.ts'
import type { Chance, ReturnPath } from '../ussd/index.ts'

export interface PushWay {
  line: Line
  key: DialogueKey
  path: ReturnPath
}

export interface PushWaysDeps {
  dialogues: Pick<DialogueStore, 'find'>
  lines: { all: readonly Line[]; get(name: string): Line | undefined }
  chance: Chance
  /** The source address of a flow's dialogues on this line: the digits of its service code. */
  sourceOf(line: string, flow: string | null): string
}

/** `line` undefined: the first line that is bound. */
interface Wanted {
  msisdn: string
  line?: string
}

type NoWay = { line: Line | undefined; no: 'unsent' | 'unsupported' | 'busy' }

export interface PushWays {
  lineFor(request: Pick<Wanted, 'line'>): Line | undefined
  /** Rejects if the store is unreachable. */
  find(request: Wanted, flow: string | null): Promise<(PushWay & { no?: undefined }) | NoWay>
}

export function pushWays({ dialogues, lines, chance, sourceOf }: PushWaysDeps): PushWays {
  let number = Math.floor(chance() * 65_536)
  const lineFor = ({ line }: Pick<Wanted, 'line'>) =>
    line === undefined ? lines.all.find((one) => one.bound()) : lines.get(line)
  return {
    lineFor,
    async find(request, flow) {
      const line = lineFor(request)
      if (!line?.bound()) return { line, no: 'unsent' }
      const { dialect } = line
      if (!dialect.push) return { line, no: 'unsupported' }
      const { msisdn } = request
      const key = { group: line.group, msisdn }
      const standing = await dialogues.find(key)
      // A subscriber has one transaction at a time: a push must not end another dialogue. (3GPP TS 24.090)
      if (standing && standing.status !== 'ended') return { line, no: 'busy' }
      const source = sourceOf(line.name, flow)
      const path = dialect.push({ msisdn, source, n: number++, not: standing?.returnPath.carrier })
      return { line, key, path }
    },
  }
}
