/** How large a value of `set` can be. */
import type { Scalar } from '../language/index.ts'
import {
  DECIMALS_MAX,
  type Arithmetic,
  type Node,
  FUNCTIONS,
  type Fn,
  added,
  charsOf,
  NUMBER_MAX,
  type Size,
  pathsOf,
  readingOf,
  wholePath,
} from '../expression/index.ts'

export interface KnownBounds {
  sizeOf: (path: string) => Size
  /** The most characters of a field of the rows at this path. */
  fieldOf: (from: string, field: string) => number | undefined
}

/** An expression without a bound can be as large as its type allows. */
export function valueSize(written: Scalar, known: KnownBounds): Size {
  if (typeof written === 'number') return literal(written)
  if (typeof written !== 'string') return { chars: String(written ?? '').length }
  const reading = readingOf(written)
  if (reading) return worked(reading.node, known)
  const path = wholePath(written)
  if (path !== undefined) return known.sizeOf(path)
  const parts = pathsOf(written).map((each) => charsOf(known.sizeOf(each)))
  const own = written.replace(/\{[^{}]*\}/g, '').length
  return { chars: added([own, ...parts]) }
}

function worked(node: Node, known: KnownBounds): Size {
  const size = sizeOf(node, known)
  if (isNumber(node))
    return { max: Math.min(size.max ?? NUMBER_MAX, NUMBER_MAX), decimals: size.decimals ?? DECIMALS_MAX }
  return size
}

function isNumber(node: Node): boolean {
  return (
    node.is === 'arithmetic' || node.is === 'minus' || (node.is === 'call' && FUNCTIONS[node.name]?.gives === 'number')
  )
}

function sizeOf(node: Node, known: KnownBounds): Size {
  switch (node.is) {
    case 'literal':
      return typeof node.value === 'number' ? literal(node.value) : { chars: String(node.value ?? '').length }
    case 'path':
      return known.sizeOf(node.path)
    case 'minus':
      return sizeOf(node.of, known)
    case 'arithmetic':
      return calculated(node, known)
    case 'shift':
      return { chars: 'yyyy-MM-dd'.length }
    case 'call':
      return called(node, known)
    default:
      return { chars: 'false'.length }
  }
}

function literal(value: number): Size {
  return { max: Math.abs(value), decimals: String(value).split('.')[1]?.length ?? 0 }
}

/** Uses the distance of each side from zero: a difference is never farther from zero than a sum. */
function calculated({ op, left, right }: Node & { is: 'arithmetic' }, known: KnownBounds): Size {
  const [one, other] = [sizeOf(left, known), sizeOf(right, known)]
  const [places, others] = [one.decimals ?? DECIMALS_MAX, other.decimals ?? DECIMALS_MAX]
  const decimals = op === '/' ? DECIMALS_MAX : op === '*' ? places + others : Math.max(places, others)
  return { max: maxOf(op, one.max, other.max, right), decimals: Math.min(decimals, DECIMALS_MAX) }
}

function maxOf(op: Arithmetic, one: number | undefined, other: number | undefined, right: Node): number | undefined {
  if (one === undefined || other === undefined) return undefined
  if (op === '*') return one * other
  // An unknown divisor may be less than one.
  if (op === '/') return right.is === 'literal' && other > 0 ? one / other : undefined
  return one + other
}

function called({ name, args }: Node & { is: 'call' }, known: KnownBounds): Size {
  const fn = FUNCTIONS[name] as Fn
  const [rows, second] = args
  const written = second?.is === 'literal' ? second.value : undefined
  const sizes = args.map((arg) => sizeOf(arg, known))
  if (rows?.is === 'path' && (fn.takes[0] === 'rows' || fn.takes[0] === 'list')) {
    const field = fn.takes[1] === 'field' && typeof written === 'string' ? known.fieldOf(rows.path, written) : undefined
    sizes[0] = { ...sizes[0], rows: known.sizeOf(`${rows.path}.count`).max, field }
  }
  return fn.size(sizes, typeof written === 'number' && fn.takes[1] === 'places' ? written : undefined)
}
