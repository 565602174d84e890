import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { root, sources } from './tree.ts'

/** What every room may import. */
const EVERYWHERE = ['src/base', 'src/ussd', 'machines']
/**
 * Rooms from the inside out, and which rooms each may import besides its own files, those of the folder above it, and
 * EVERYWHERE. `*`: it builds and starts things, and may import all.
 */
const MAY: Record<string, readonly string[] | '*'> = {
  migrations: [],
  machines: [],
  'src/ussd': [],
  'src/base': ['src/base/http', 'src/base/log', 'src/base/memory', 'src/base/time', 'src/base/tasks'],
  'src/base/http': [],
  'src/base/log': [],
  'src/base/memory': [],
  'src/base/regex': [],
  'src/base/settings': [],
  'src/base/time': ['src/base/memory'],
  'src/base/tasks': [],
  'src/plugin': [],
  'src/smpp': ['src/smpp/dialect'],
  'src/smpp/pdu': [],
  'src/smpp/session': ['src/smpp/pdu'],
  'src/smpp/dialect': ['src/smpp/pdu', 'src/base/regex'],
  'src/flow/expression': ['src/base/regex'],
  'src/flow/terms': ['src/flow/expression'],
  'src/flow/text': ['src/flow/expression', 'src/flow/terms'],
  'src/flow/engine': ['src/flow/expression', 'src/flow/terms'],
  'src/flow/plan': ['src/flow/expression', 'src/flow/terms', 'src/flow/text', 'src/flow/engine'],
  'src/flow/screens': ['src/flow/expression', 'src/flow/terms', 'src/flow/text', 'src/flow/engine', 'src/flow/plan'],
  'src/flow/language': ['src/flow/expression', 'src/flow/terms', 'src/flow/plan', 'src/flow/screens'],
  'src/flow/read': ['src/plugin', 'src/flow/expression', 'src/flow/language'],
  'src/flow/check': [
    'src/flow/expression',
    'src/flow/language',
    'src/flow/text',
    'src/flow/read',
    'src/flow/plan',
    'src/flow/screens',
  ],
  'src/flow/load': [
    'src/flow/expression',
    'src/flow/language',
    'src/flow/text',
    'src/flow/read',
    'src/flow/engine',
    'src/flow/plan',
    'src/flow/screens',
    'src/flow/check',
  ],
  'src/flow/talk': ['src/flow/language', 'src/flow/engine'],
  'src/flow/explore': [
    'src/flow/expression',
    'src/flow/language',
    'src/flow/text',
    'src/flow/read',
    'src/flow/engine',
    'src/flow/plan',
    'src/flow/screens',
    'src/flow/check',
    'src/flow/load',
    'src/flow/talk',
  ],
  'src/flow/redraw': ['src/flow/language', 'src/flow/text'],
  'src/flow/draw': ['src/flow/language', 'src/flow/load', 'src/flow/explore'],
  'src/flow/pictures': ['src/flow/read', 'src/flow/load', 'src/flow/draw'],
  'src/flow/release': ['src/flow/language', 'src/flow/read', 'src/flow/engine', 'src/flow/check', 'src/flow/load'],
  'src/backend': ['src/plugin', 'src/flow/engine', 'src/backend/contracts'],
  'src/backend/contracts': ['src/flow/engine'],
  'src/dialogue': ['src/flow/engine', 'src/backend'],
  'src/sms': [
    'src/sms/settings',
    'src/smpp',
    'src/smpp/session',
    'src/push',
    'src/sms/outbox',
    'src/sms/inbox',
    'src/sms/operator',
    'src/sms/pdu',
    'src/sms/receipts',
    'src/sms/terms',
  ],
  'src/sms/operator': ['src/sms/outbox', 'src/sms/terms'],
  'src/sms/receipts': ['src/sms/terms'],
  'src/sms/terms': ['src/plugin', 'src/smpp/pdu'],
  'src/sms/outbox': ['src/plugin', 'src/sms/receipts', 'src/sms/terms'],
  'src/sms/settings': ['src/base/settings', 'src/sms/terms'],
  'src/sms/requests': ['src/sms/outbox', 'src/sms/settings', 'src/sms/terms'],
  'src/sms/pdu': [
    'src/sms/settings',
    'src/smpp',
    'src/smpp/pdu',
    'src/smpp/dialect',
    'src/sms/outbox',
    'src/sms/terms',
  ],
  'src/sms/inbox': [
    'src/sms/settings',
    'src/smpp',
    'src/smpp/dialect',
    'src/sms/outbox',
    'src/sms/pdu',
    'src/sms/terms',
  ],
  'src/hooks': ['src/backend', 'src/sms/outbox'],
  'src/fleet': [],
  'src/audit': ['src/watch'],
  'src/records': ['src/dialogue'],
  'src/spans': ['src/smpp', 'src/smpp/pdu', 'src/backend', 'src/dialogue', 'src/gateway'],
  'src/watch': ['src/backend', 'src/hooks', 'src/smpp'],
  'src/test-dials': [
    'src/smpp',
    'src/smpp/pdu',
    'src/flow/engine',
    'src/backend',
    'src/config',
    'src/gateway',
    'src/simulator/network',
  ],
  'src/push': ['src/smpp', 'src/flow/engine', 'src/backend', 'src/dialogue'],
  'src/deferred': ['src/smpp', 'src/flow/engine', 'src/backend', 'src/dialogue', 'src/push'],
  'src/gateway': [
    'src/smpp',
    'src/smpp/pdu',
    'src/flow/engine',
    'src/backend',
    'src/dialogue',
    'src/push',
    'src/deferred',
    'src/tools/recorder',
  ],
  'src/store': ['src/dialogue'],
  'src/store/journal': ['src/dialogue', 'src/sms/inbox', 'src/sms/requests'],
  'src/store/redis': ['src/dialogue', 'src/smpp/session', 'src/sms/inbox', 'src/sms/requests'],
  'src/store/postgres': ['src/flow/engine', 'src/flow/release', 'src/store/journal'],
  'src/services/pin': ['src/backend'],
  'src/services/subscriber': ['src/sms/terms'],
  // As an operator's own module: by `ussd-connector/plugin` alone.
  'samples/dental': ['src/plugin'],
  'samples/topup': [],
  'src/privacy': [
    'src/audit',
    'src/plugin',
    'src/backend',
    'src/dialogue',
    'src/sms/inbox',
    'src/sms/outbox',
    'src/sms/requests',
    'src/services/subscriber',
  ],
  'src/admin': [
    'src/admin/api',
    'src/admin/routes',
    'src/config',
    'src/smpp',
    'src/flow/language',
    'src/flow/read',
    'src/flow/engine',
    'src/flow/load',
    'src/flow/explore',
    'src/flow/release',
    'src/dialogue',
    'src/enquiry',
    'src/gateway',
    'src/privacy',
    'src/push',
    'src/sms/operator',
    'src/sms/outbox',
    'src/sms/requests',
    'src/sms/terms',
    'src/tools/recorder',
    'src/watch',
    'src/fleet',
    'src/test-dials',
    'src/audit',
    'src/records',
  ],
  'src/admin/routes': ['src/sms/operator', 'src/sms/requests', 'src/fleet', 'src/audit', 'src/privacy'],
  'src/admin/api': ['src/admin/routes'],
  'src/desk': [
    'src/desk/pages',
    'src/desk/words',
    'src/admin',
    'src/audit',
    'src/config',
    'src/fleet',
    'src/flow/pictures',
    'src/privacy',
    'src/sms/operator',
    'src/watch',
  ],
  'src/desk/pages': [
    'src/desk/words',
    'src/admin',
    'src/audit',
    'src/fleet',
    'src/privacy',
    'src/records',
    'src/sms/operator',
    'src/watch',
  ],
  'src/desk/words': [],
  'src/enquiry': ['src/dialogue', 'src/flow/language', 'src/flow/read', 'src/flow/redraw', 'src/sms/terms'],
  'src/ingress': ['src/smpp'],
  'src/config': ['src/base/regex', 'src/base/settings', 'src/smpp/session', 'src/sms/settings'],
  'src/simulator': [
    'src/simulator/network',
    'src/simulator/phone',
    'src/simulator/smsc',
    'src/simulator/control',
    'src/simulator/load',
  ],
  'src/simulator/codec': ['src/smpp'],
  'src/simulator/network': ['src/smpp', 'src/smpp/dialect', 'src/simulator/codec'],
  'src/simulator/phone': ['src/smpp', 'src/simulator/codec', 'src/simulator/network'],
  'src/simulator/smsc': [
    'src/smpp',
    'src/simulator/codec',
    'src/simulator/network',
    'src/simulator/phone',
    'src/tools/capture',
  ],
  'src/simulator/load': ['src/simulator/codec', 'src/simulator/network', 'src/simulator/phone', 'src/simulator/smsc'],
  'src/simulator/control': ['src/simulator/phone', 'src/simulator/smsc', 'src/tools/capture'],
  'src/tools/capture': ['src/smpp', 'src/smpp/pdu', 'src/smpp/dialect'],
  'src/tools/infer': ['src/smpp', 'src/smpp/pdu', 'src/smpp/dialect', 'src/tools/capture'],
  'src/tools/recorder': ['src/smpp', 'src/smpp/pdu', 'src/smpp/session', 'src/tools/capture'],
  'src/tools/doctor': [
    'src/smpp',
    'src/smpp/pdu',
    'src/smpp/session',
    'src/smpp/dialect',
    'src/sms/pdu',
    'src/tools/capture',
    'src/tools/infer',
  ],
  'src/tools/flow-import': ['src/flow/expression', 'src/flow/language', 'src/flow/check'],
  'src/daemon': '*',
  'src/daemon/backends': [
    'src/plugin',
    'src/config',
    'src/flow/language',
    'src/flow/engine',
    'src/backend',
    'src/backend/contracts',
    'src/gateway',
    'src/push',
    'src/sms/outbox',
    'src/sms/requests',
    'src/sms/terms',
    'src/services/pin',
    'src/services/subscriber',
    'src/spans',
  ],
  'src/daemon/lines': ['src/spans', 'src/admin', 'src/config', 'src/smpp', 'src/smpp/dialect', 'src/smpp/session'],
  'src/daemon/reload': [
    'src/admin',
    'src/config',
    'src/daemon/backends',
    'src/daemon/lines',
    'src/daemon/stores',
    'src/gateway',
    'src/sms',
  ],
  'src/daemon/watch': [
    'src/admin',
    'src/config',
    'src/daemon/lines',
    'src/daemon/stores',
    'src/flow/release',
    'src/fleet',
    'src/smpp',
    'src/smpp/session',
    'src/test-dials',
    'src/watch',
  ],
  'src/daemon/stores': [
    'src/config',
    'src/dialogue',
    'src/flow/engine',
    'src/flow/release',
    'src/records',
    'src/smpp/session',
    'src/sms/inbox',
    'src/sms/requests',
    'src/sms/settings',
    'src/store',
    'src/store/journal',
    'src/store/postgres',
    'src/store/redis',
  ],
  'src/daemon/records': [
    'src/admin',
    'src/config',
    'src/daemon/backends',
    'src/daemon/lines',
    'src/daemon/stores',
    'src/deferred',
    'src/dialogue',
    'src/fleet',
    'src/flow/release',
    'src/privacy',
    'src/push',
    'src/records',
    'src/sms/requests',
    'src/store',
    'src/test-dials',
  ],
  'src/daemon/services': [
    'src/backend',
    'src/config',
    'src/daemon/backends',
    'src/daemon/lines',
    'src/daemon/records',
    'src/daemon/stores',
    'src/deferred',
    'src/dialogue',
    'src/flow/engine',
    'src/flow/release',
    'src/gateway',
    'src/hooks',
    'src/push',
    'src/services/subscriber',
    'src/sms',
    'src/sms/outbox',
    'src/sms/requests',
    'src/sms/settings',
    'src/store',
  ],
  'src/cli': '*',
  'src/cli/commands': '*',
  'src/cli/check': '*',
  'src/cli/dev': '*',
  'src/cli/flows': '*',
  'src/cli/smsc': '*',
}
/** These rooms have no face: each file is one that others may import. */
const OPEN_ROOMS = new Set([
  'machines',
  'migrations',
  'src/cli/commands',
  // A command loads its own file of them, and no more: a face would load the whole room.
  'src/cli/check',
  'src/cli/flows',
  'src/cli/smsc',
])
const FACE = 'index.ts'

interface Imported {
  /** As from the root. */
  file: string
  isType: boolean
}

const files = sources(['src', 'samples', 'machines', 'migrations'])
const roomOf = (file: string) => dirname(file)
const isAbove = (room: string, file: string) => roomOf(file).startsWith(`${room}/`)
const known = new Set(files)

function importsOf(file: string): Imported[] {
  const text = readFileSync(join(root, file), 'utf8')
  const written = text.matchAll(/^(?:import|export)\s+(type\s+)?([^'";]*?)from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/gm)
  return Array.from(written, ([, type, names, from, lazily]) => ({
    file: relative(root, resolve(join(root, dirname(file)), from ?? lazily!)),
    isType: type !== undefined || (names !== undefined && onlyTypes(names)),
  })).filter((one) => known.has(one.file))
}

function onlyTypes(names: string): boolean {
  const each = names
    .replaceAll(/[{}]/g, '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  return names.includes('{') && each.every((name) => name.startsWith('type '))
}

const packagesOf = (file: string) =>
  Array.from(readFileSync(join(root, file), 'utf8').matchAll(/from\s+'([^.'][^']*)'/g), ([, name]) => name!)

describe('layers', () => {
  it('every file stands in a room that has a row, and no row is empty', () => {
    const rooms = new Set(files.map(roomOf))
    assert.deepEqual(
      [...rooms].filter((room) => !(room in MAY)),
      [],
      'say in MAY what the room may import',
    )
    assert.deepEqual(
      Object.keys(MAY).filter((room) => !rooms.has(room)),
      [],
      'the room is gone: remove its row',
    )
  })

  it('folders under src are at most three levels deep', () => {
    assert.deepEqual(
      files.filter((file) => file.startsWith('src/') && file.split('/').length > 4),
      [],
    )
  })

  it('imports point inward', () => {
    const breaches: string[] = []
    for (const file of files) {
      const own = roomOf(file)
      const may = MAY[own]
      if (may === '*' || !may) continue
      for (const { file: target } of importsOf(file)) {
        const there = roomOf(target)
        if (there === own || isAbove(there, file) || EVERYWHERE.includes(there) || may.includes(there)) continue
        breaches.push(`${file} imports ${target}: ${own} may import ${may.join(', ') || 'nothing'}`)
      }
    }
    assert.deepEqual(breaches, [])
  })

  it('a row allows what its room imports, and no more', () => {
    const used = new Map<string, Set<string>>()
    for (const file of files) {
      const rooms = used.get(roomOf(file)) ?? new Set()
      used.set(roomOf(file), rooms)
      for (const one of importsOf(file)) rooms.add(roomOf(one.file))
    }
    const spare = Object.entries(MAY).flatMap(([room, may]) =>
      may === '*' ? [] : may.filter((other) => !used.get(room)!.has(other)).map((other) => `${room}: ${other}`),
    )
    assert.deepEqual(spare, [])
  })

  it("one file knows where the samples are: they are loaded as an operator's own modules", () => {
    const importers = files.filter(
      (file) => file.startsWith('src/') && /['"`][./]*samples\//.test(readFileSync(join(root, file), 'utf8')),
    )
    assert.deepEqual(importers, ['src/daemon/samples.ts'])
  })

  it('a room is entered by its face', () => {
    const breaches: string[] = []
    for (const file of files) {
      for (const { file: target } of importsOf(file)) {
        const there = roomOf(target)
        if (there === roomOf(file) || isAbove(there, file) || OPEN_ROOMS.has(there)) continue
        if (!target.endsWith(`/${FACE}`)) breaches.push(`${file} imports ${target}: import ${there}/${FACE}`)
      }
    }
    assert.deepEqual(breaches, [])
  })

  it('a face says in its first line what the room is for, and only hands out', () => {
    const faces = files.filter((file) => file.endsWith(`/${FACE}`))
    const wrong = faces.filter((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      const rest = text
        .replace(/^\/\*\*[\s\S]*?\*\/\n/, '')
        .replaceAll(/^export (type )?\{[^}]*\} from '[^']+'\n/gm, '')
      return !text.startsWith('/** ') || rest.trim() !== ''
    })
    assert.deepEqual(wrong, [])
  })

  it('no files import each other in a circle at run time', () => {
    assert.deepEqual(
      circles(
        new Map(
          files.map((file) => [
            file,
            importsOf(file)
              .filter((one) => !one.isType)
              .map((one) => one.file),
          ]),
        ),
      ),
      [],
    )
  })

  it('top folders of src do not lead back to each other, by values or by types', () => {
    const top = (file: string) => file.split('/').slice(0, 2).join('/')
    const inside = files.filter((file) => file.startsWith('src/'))
    const graph = new Map(inside.map((file) => [top(file), [] as string[]]))
    for (const file of inside) {
      for (const { file: target } of importsOf(file)) {
        if (target.startsWith('src/') && top(target) !== top(file)) graph.get(top(file))!.push(top(target))
      }
    }
    assert.deepEqual(circles(graph), [], 'move what they share to one side, or to a room that both may import')
  })

  it('one file imports npm smpp', () => {
    const importers = files.filter((file) => packagesOf(file).includes('smpp'))
    assert.equal(importers.length, 1, `imported by ${importers.join(', ')}: keep its defects fenced in one place`)
    assert.match(importers[0]!, /^src\/smpp\/pdu\//)
  })

  it('machines import only xstate and the vocabulary', () => {
    const breaches = files
      .filter((file) => roomOf(file) === 'machines')
      .flatMap((file) => [
        ...packagesOf(file).filter((name) => name !== 'xstate'),
        ...importsOf(file)
          .map((one) => one.file)
          .filter((target) => roomOf(target) !== 'machines' && target !== `src/ussd/${FACE}`),
      ])
    assert.deepEqual(breaches, [])
  })

  it('the simulator has a codec of its own: with a shared one both ends would share one fault', () => {
    assert.ok(existsSync(join(root, 'src/simulator/codec/codec.ts')))
    const shared = files
      .filter((file) => file.startsWith('src/simulator/'))
      .flatMap((file) => importsOf(file).filter((one) => /^src\/smpp\/(pdu|session)\//.test(one.file)))
    assert.deepEqual(shared, [])
  })
})

/** Groups of files that lead back to each other. (Tarjan) */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (file: string) => {
    order.set(file, order.size)
    low.set(file, order.get(file)!)
    stack.push(file)
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) visit(next)
      if (stack.includes(next)) low.set(file, Math.min(low.get(file)!, low.get(next)!))
    }
    if (low.get(file) !== order.get(file)) return
    const circle = stack.splice(stack.indexOf(file))
    if (circle.length > 1) found.push(circle.toSorted())
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return found
}
