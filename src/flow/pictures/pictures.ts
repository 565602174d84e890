/** Pictures of flows, drawn in a process of their own. */
import { type ChildProcess, fork } from 'node:child_process'
import type { Compilation } from '../load/index.ts'
import type { FlowSource } from '../read/index.ts'
import type { Clock } from '../../ussd/index.ts'

/** How long a picture may take. `flow draw --svg` has the time that it needs. */
const DRAW_MS = 20_000

/** A compiled flow, or its files, which are compiled where it is drawn. */
export interface WantedPicture {
  revision: string
  definition?: Compilation['definition']
  source?: FlowSource
}

export interface Pictures {
  /** Undefined: it takes too long, it cannot be compiled, or a later revision was asked for meanwhile. */
  of(wanted: WantedPicture): Promise<string | undefined>
  stop(): void
}

interface Drawing {
  revision: string
  svg: Promise<string | undefined>
  isDone: boolean
  give(svg: string | undefined): void
}

export function createPictures(clock: Clock): Pictures {
  let drawer: ChildProcess | undefined
  let last: Drawing | undefined

  function end(): void {
    last?.give(undefined)
    drawer?.kill('SIGKILL')
    drawer = undefined
  }

  function start(): ChildProcess {
    // The file has the ending of this one: `.ts` from the sources, `.js` in a build.
    const made = fork(new URL(import.meta.url.replace(/pictures(\.\w+)$/, 'picture-process$1')), { stdio: 'ignore' })
    made.unref()
    made.channel?.unref()
    made.on('message', ({ revision, svg }: { revision: string; svg: string }) => {
      if (last?.revision === revision) last.give(svg)
    })
    const gone = () => made === drawer && end()
    made.on('error', gone).on('exit', gone)
    return made
  }

  return {
    of(wanted) {
      const { revision } = wanted
      if (last?.revision === revision) return last.svg
      // The process still draws what nobody wants any more.
      if (last && !last.isDone) end()
      drawer ??= start()
      let done!: (svg: string | undefined) => void
      const svg = new Promise<string | undefined>((settled) => (done = settled))
      const callOff = clock.after(DRAW_MS, () => last === drawing && end())
      const drawing: Drawing = {
        revision,
        svg,
        isDone: false,
        give(made) {
          drawing.isDone = true
          callOff()
          done(made)
        },
      }
      last = drawing
      drawer.send(wanted)
      return svg
    },
    stop: end,
  }
}
