/**
 * Loaded into the daemon before anything else (`--import`), where the bench was asked to look into it: counts what is
 * allocated and what garbage collection takes, and profiles time and allocation, from one message of the bench to the next. Between them it
 * does nothing.
 */
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { GCProfiler } from 'node:v8'

const SAMPLE_US = 200
const SAMPLE_OCTETS = 8_192

let running

process.on('message', (asked) => {
  if (asked.is === 'begin') running = begun(asked)
  else if (asked.is === 'end') running.end((told) => process.send(told))
})
// Nobody waits for it: the daemon ends when it has done.
process.channel.unref()

function begun({ profile }) {
  const session = profile ? profiling() : undefined
  const collections = new GCProfiler()
  collections.start()
  const heapAtFirst = process.memoryUsage().heapUsed
  return {
    end(tell) {
      const heapAtLast = process.memoryUsage().heapUsed
      const { statistics } = collections.stop()
      const told = measured(statistics, heapAtFirst, heapAtLast)
      if (session === undefined) return tell(told)
      session.post('Profiler.stop', (_error, { profile: taken }) => {
        writeFileSync(profile, JSON.stringify(taken))
        session.post('HeapProfiler.stopSampling', (_error, { profile: sites }) => {
          session.disconnect()
          writeFileSync(profile.replace(/cpuprofile$/, 'heapprofile'), JSON.stringify(sites))
          tell(told)
        })
      })
    },
  }
}

function profiling() {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US })
  session.post('Profiler.start')
  session.post('HeapProfiler.startSampling', {
    samplingInterval: SAMPLE_OCTETS,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  return session
}

/**
 * What the heap grew by between collections is what was allocated: octets of V8's heap, without buffers outside it. What
 * a young collection left in the young space, and what it moved to the old one, has survived it.
 */
function measured(statistics, heapAtFirst, heapAtLast) {
  let allocated = 0
  let survived = 0
  let collectionMs = 0
  let from = heapAtFirst
  for (const { gcType, beforeGC, afterGC, cost } of statistics) {
    if (gcType === 'Scavenge')
      survived += inSpace(afterGC, 'new_space') + inSpace(afterGC, 'old_space') - inSpace(beforeGC, 'old_space')
    allocated += beforeGC.heapStatistics.usedHeapSize - from
    from = afterGC.heapStatistics.usedHeapSize
    collectionMs += cost / 1_000
  }
  return { allocated: allocated + heapAtLast - from, survived, collections: statistics.length, collectionMs }
}

function inSpace({ heapSpaceStatistics }, name) {
  return heapSpaceStatistics.find(({ spaceName }) => spaceName === name).spaceUsedSize
}
