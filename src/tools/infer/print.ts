/** Prints an inferred profile as valid YAML: how sure each field is, and what was not seen. */
import type { DialectProfile } from '../../smpp/dialect/index.ts'
import type { Draft, InferredField } from './draft.ts'
import type { Inference } from './infer.ts'
import type { Nearness } from './nearest-profile.ts'

/** Keys whose numbers people write in hex. */
const HEX_KEYS = new Set(['tlv', 'tag', 'tlvPresent', 'tlvOrder', 'dcs', 'echo', 'esmType', 'mask'])
const COMMENT_COLUMN = 60

export interface PrintInput {
  standard: DialectProfile
  nearest?: Nearness | undefined
  remarks?: readonly string[]
}

/** Deterministic. It contains no subscriber's number. */
export function printProfile({ recording, draft }: Inference, { standard, nearest, remarks = [] }: PrintInput): string {
  const { dialogues } = recording
  const count = (by: string) => dialogues.filter((it) => it.overBy === by).length
  const head = [
    `# Inferred from ${recording.pdus.length} PDUs: ${dialogues.length} dialogues, ${count('esme')} ended by the application,`,
    `# ${count('network')} by the subscriber or the network, ${count('open')} left open; ${recording.others} other messages.`,
    ...remarks.map((remark) => `# ${remark}.`),
    ...nearestLines(nearest),
    '# "sure": the recording shows it. "doubtful": ask the operator, or look at one more test call.',
    `name: ${draft.profile().name}`,
    'extends: standard',
    `seen: a recording of ${dialogues.length} dialogues`,
    'confidence: captured',
    'notes:',
    '  - Inferred from recorded PDUs. Check the fields marked doubtful.',
  ]
  const tree = treeOf(draft.findings().filter((it) => it.value !== undefined))
  return [...head, ...sections(tree), ...gapLines(draft, standard), ''].join('\n')
}

function nearestLines(nearest: Nearness | undefined): string[] {
  if (!nearest) return []
  const { name, read, messages, written, replies, differences } = nearest
  const fields =
    differences.length > 0
      ? `It differs in: ${differences.join(', ')}.`
      : 'It has the same value in every field that was seen.'
  const reads = `it reads ${read} of ${messages} messages and writes ${written} of ${replies} replies alike`
  const nothing = 'it reads and writes nothing of this recording alike, so use none of the known profiles'
  return wrapped(`The nearest known profile is ${name}: ${read + written > 0 ? reads : nothing}. ${fields}`)
}

function wrapped(text: string): string[] {
  const lines: string[] = ['#']
  for (const word of text.split(' ')) {
    if ((lines.at(-1) as string).length + word.length > 108) lines.push('#')
    lines[lines.length - 1] += ` ${word}`
  }
  return lines
}

type Tree = Map<string, Tree | InferredField>

function treeOf(findings: readonly InferredField[]): Tree {
  const root: Tree = new Map()
  for (const finding of findings) {
    const steps = finding.path.split('.')
    let node = root
    for (const step of steps.slice(0, -1)) {
      const next = node.get(step)
      const child: Tree = next instanceof Map ? next : new Map<string, Tree | InferredField>()
      if (!(next instanceof Map)) node.set(step, child)
      node = child
    }
    node.set(steps.at(-1) as string, finding)
  }
  return root
}

/** In the order of the schema, which people know from the shipped profiles. */
const ORDER = ['inbound', 'outbound', 'push', 'responses']

function sections(tree: Tree): string[] {
  const keys = [...tree.keys()].toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
  return keys.flatMap((key) => ['', ...lines(key, tree.get(key) as Tree | InferredField, 0)])
}

function lines(key: string, node: Tree | InferredField, depth: number): string[] {
  const indent = '  '.repeat(depth)
  const name = key.replace(/^\d+$/, (digits) => `0x${Number(digits).toString(16).padStart(2, '0').toUpperCase()}`)
  if (node instanceof Map) {
    return [`${indent}${name}:`, ...[...node].flatMap(([inner, child]) => lines(inner, child, depth + 1))]
  }
  const comment = `# ${node.sure ? 'sure' : 'doubtful'}: ${node.note}`
  if (key === 'classify' && Array.isArray(node.value)) {
    const rules = node.value.map((rule) => `${indent}  - ${flow(rule, key)}`)
    return [`${indent}${comment}`, `${indent}${name}:`, ...rules]
  }
  const line = `${indent}${name}: ${flow(node.value, key)}`
  if (Math.max(line.length, COMMENT_COLUMN) + comment.length > 118) return [`${indent}${comment}`, line]
  return [`${line.padEnd(COMMENT_COLUMN)} ${comment}`]
}

/** A value in YAML flow style. */
function flow(value: unknown, key: string): string {
  if (Array.isArray(value)) return `[${value.map((it) => flow(it, key)).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value)
      .filter(([, it]) => it !== undefined)
      .map(([name, it]) => `${name}: ${flow(it, name)}`)
    return parts.length > 0 ? `{ ${parts.join(', ')} }` : '{}'
  }
  if (typeof value === 'number' && HEX_KEYS.has(key)) {
    return `0x${value
      .toString(16)
      .padStart(value > 0xff ? 4 : 2, '0')
      .toUpperCase()}`
  }
  if (typeof value !== 'string') return String(value)
  const isPlain = /^[A-Za-z][\w-]*$/.test(value) && !/^(?:null|true|false|yes|no|on|off|y|n)$/i.test(value)
  return isPlain ? value : JSON.stringify(value)
}

function gapLines(draft: Draft, standard: DialectProfile): string[] {
  const rows = draft.gaps().map(({ path, why }) => {
    const value = path
      .split('.')
      .reduce<unknown>((node, step) => (node as Record<string, unknown> | undefined)?.[step], standard)
    const short = flow(value, path.split('.').at(-1) as string)
    return `#   ${path}: ${why}${short.length < 40 ? ` (standard: ${short})` : ''}`
  })
  return rows.length > 0 ? ['', '# Unknown, so these have the values of the standard profile:', ...rows] : []
}
