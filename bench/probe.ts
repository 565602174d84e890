/** The bench's end of what looks into the daemon (probe-inside.mjs). */
import type { ChildProcess } from 'node:child_process'

export interface Insight {
  /** Octets of the heap. */
  allocated: number
  /** What outlived young collections, over all of them. */
  survived: number
  collections: number
  collectionMs: number
}

export interface Probe {
  /** `profile`: a file for a CPU profile of the time until `end`. */
  begin(profile?: string): void
  end(): Promise<Insight>
}

export function probeOf(daemon: ChildProcess): Probe {
  return {
    begin: (profile) => void daemon.send({ is: 'begin', profile }),
    end: () =>
      new Promise((done) => {
        daemon.once('message', (insight) => done(insight as Insight))
        daemon.send({ is: 'end' })
      }),
  }
}
