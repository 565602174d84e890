/** What a dialogue can still read of what it has learned: by it, states differ, and the rest need not be kept. */
import { targetsOf, type FlowDefinition } from '../language/index.ts'
import { type Read, readsByScreen, setOn, setPathOf } from './paths.ts'

/**
 * For each screen: the keys that are read there, or later before they are set again. `unwritten`: where a screen also
 * leads, besides the ways that its file names.
 */
export function liveKeys(
  definition: FlowDefinition,
  unwritten: (screen: string) => Iterable<string> = () => [],
): Map<string, Set<string>> {
  const live = new Map(Object.keys(definition.screens).map((name) => [name, new Set<string>()]))
  const reads = readsByScreen(definition)
  const own = new Map(Object.entries(definition.screens).map(([name, screen]) => [name, answersOn(name, screen)]))
  const isOwn = ({ screen, path }: Read) => own.get(screen)!.has(setPathOf(path) ?? '')
  const isCheck = ({ place }: Read) => place[CHECKS_AT] === 'checks' && place.at(-1) === 'if'
  // A check that reads something else, too, tells states apart by that.
  const mixed = new Set(reads.filter((one) => isCheck(one) && !isOwn(one)).map(({ place }) => place.join(' ')))
  for (const one of reads) {
    const key = setPathOf(one.path)
    // A check of what was typed now reads nothing that was answered before.
    const isTyped = isCheck(one) && isOwn(one) && !mixed.has(one.place.join(' '))
    if (key !== undefined && !isTyped) live.get(one.screen)?.add(key)
  }
  const into = new Map([...live.keys()].map((name) => [name, [] as { from: string; set: ReadonlySet<string> }[]]))
  for (const [from, screen] of Object.entries(definition.screens)) {
    for (const { to, path } of targetsOf(screen)) into.get(to)?.push({ from, set: new Set(setOn(from, screen, path)) })
    for (const to of unwritten(from)) into.get(to)?.push({ from, set: NOTHING })
  }
  const next = [...live.keys()]
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    for (const { from, set } of into.get(name)!) {
      const here = live.get(from)!
      const before = here.size
      for (const key of live.get(name)!) if (!set.has(key)) here.add(key)
      if (here.size > before) next.push(from)
    }
  }
  return live
}

const NOTHING: ReadonlySet<string> = new Set()

/** `['screens', NAME, 'checks', …]` */
const CHECKS_AT = 2

/** Under which answers a screen keeps what is typed on it. */
function answersOn(name: string, screen: FlowDefinition['screens'][string]): Set<string> {
  const set = targetsOf(screen).flatMap(({ path }) => setOn(name, screen, path))
  return new Set(set.filter((key) => key.startsWith('answers.')))
}
