import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { root, sources } from './tree.ts'

/** Rooms from the inside out; a file may import its own room and those listed. */
const MAY: Record<string, readonly string[]> = {
  'src/ussd': [],
  'src/regex': [],
  machines: ['src/ussd'],
  'src/flow': ['src/ussd', 'machines', 'src/regex'],
  'src/dialogue': ['src/ussd', 'machines', 'src/flow', 'src/backend'],
  'src/smpp': ['src/ussd', 'machines', 'src/reminders', 'src/regex'],
  'src/backend': ['src/ussd', 'machines', 'src/flow'],
  'src/store': ['src/ussd', 'machines', 'src/flow', 'src/dialogue', 'src/reminders', 'migrations'],
  'src/reminders': ['src/ussd', 'machines', 'src/flow'],
  'src/services': ['src/ussd', 'machines', 'src/flow', 'src/backend', 'src/reminders'],
  'src/push': ['src/ussd', 'machines', 'src/flow', 'src/dialogue', 'src/backend', 'src/smpp'],
  'src/sms': ['src/ussd', 'machines', 'src/reminders', 'src/smpp', 'src/push'],
  'src/late': ['src/ussd', 'machines', 'src/flow', 'src/dialogue', 'src/backend', 'src/smpp', 'src/push'],
  'src/simulator': ['src/ussd', 'src/smpp'],
  'src/learn': ['src/ussd', 'src/smpp'],
  'src/recorder': ['src/ussd', 'src/smpp', 'src/learn'],
  'src/doctor': ['src/ussd', 'src/smpp', 'src/learn'],
  'src/door': ['src/ussd', 'src/smpp'],
  'src/privacy': ['src/ussd', 'machines', 'src/flow', 'src/dialogue', 'src/reminders', 'src/services', 'src/backend'],
  'src/admin': ['src/ussd'],
  'src/config': [],
  migrations: [],
}
/** They build and start things, and may import all. */
const OUTERMOST = ['src/cli', 'src/daemon', 'src/types']
/** Small ports and leaf files that every room may import. */
const PORTS = new Set(['src/base/errors.ts', 'src/base/log-port.ts', 'src/base/did-you-mean.ts', 'src/base/metrics.ts', 'src/base/ids.ts', 'src/base/package-root.ts', 'src/base/sql.ts', 'src/base/failpoints.ts',
  'src/base/secret-file.ts', 'src/tools/capture/pcap-writer.ts', 'src/base/http-addresses.ts', 'src/base/http-callers.ts', 'src/base/http-server-times.ts', 'src/base/http-connections.ts', 'src/base/monotonic-clock.ts'])
/** In the simulator, only these of our SMPP side: with a shared coder both ends would share one bug. */
const SIMULATOR_SMPP = /^src\/smpp\/(dialect[\w-]*|types)\.ts$/

const room = (file: string) => Object.keys(MAY).toSorted((a, b) => b.length - a.length).find((name) => file.startsWith(`${name}/`))
const imports = (file: string) => [...readFileSync(join(root, file), 'utf8').matchAll(/^(?:import|export)\s[^'"]*?from\s+'([^']+)'|import\('([^']+)'\)/gm)]
  .map((found) => found[1] ?? found[2]!)

describe('layers', () => {
  it('imports point inward', () => {
    const breaches: string[] = []
    for (const file of sources(['src', 'machines', 'migrations'])) {
      const own = room(file)
      if (!own) continue
      for (const name of imports(file)) {
        if (!name.startsWith('.')) continue
        const target = relative(root, resolve(join(root, dirname(file)), name))
        const there = room(target)
        if (PORTS.has(target) || there === own) continue
        if (!there || !MAY[own]!.includes(there)) breaches.push(`${file} imports ${target}: ${own} may import ${MAY[own]!.join(', ') || 'nothing'}`)
        else if (own === 'src/simulator' && there === 'src/smpp' && !SIMULATOR_SMPP.test(target)) {
          breaches.push(`${file} imports ${target}: the simulator has its own coder`)
        }
      }
    }
    assert.deepEqual(breaches, [])
  })

  it('has a row for each room', () => {
    const rooms = new Set(sources(['src']).map((file) => file.split('/').slice(0, -1).slice(0, 2).join('/')).filter((name) => name !== 'src'))
    assert.deepEqual([...rooms].filter((name) => !(name in MAY) && !OUTERMOST.includes(name)), [], 'say in MAY what it may import')
  })

  it('one file imports npm smpp', () => {
    const importers = sources(['src', 'machines', 'migrations']).filter((file) => imports(file).includes('smpp'))
    assert.equal(importers.length, 1, `imported by ${importers.join(', ')}: keep its defects fenced in one place`)
    assert.match(importers[0]!, /^src\/smpp\//)
  })

  it('machines import only xstate and the vocabulary', () => {
    const breaches = sources(['machines']).flatMap((file) => imports(file)
      .filter((name) => name !== 'xstate' && name !== '../src/ussd/types.ts' && name !== '../../src/ussd/vocabulary.ts' && !name.startsWith('./'))
      .map((name) => `${file} imports ${name}`))
    assert.deepEqual(breaches, [])
  })
})
