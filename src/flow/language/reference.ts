/** The reference of the flow language as Markdown: every key, with its description in the schema. */
import { backendJsonSchema, flowJsonSchema, partJsonSchema } from './json-schema.ts'
import { FUNCTIONS } from '../expression/index.ts'
import { BUILT_IN, TEXT_KEYS, UNREVIEWED } from '../terms/index.ts'

/** A document has the reference between these lines. */
const REFERENCE_MARKS = {
  from: '<!-- reference: written by scripts/flow-docs.ts -->',
  to: '<!-- reference ends -->',
} as const

/** The keys of a file, of each kind of screen, and the built-in texts. */
function flowReference(): string {
  const schema = flowJsonSchema() as unknown as Node
  const screens = schema.properties?.screens?.additionalProperties?.anyOf ?? []
  const backend = backendJsonSchema() as unknown as Node
  return [
    '### The file\n',
    table(schema),
    '### A part\n',
    'A file in the folder `parts`, which flows include or call.\n',
    table(partJsonSchema() as unknown as Node),
    '### A back end\n',
    'A file in the folder `backends`: what the back end can be asked, once for all flows that call it.\n',
    table(backend),
    'Each operation:\n',
    table(backend.properties?.operations?.additionalProperties ?? {}),
    ...screens.flatMap((screen) => [`### \`${screen.title}\`\n`, `${screen.description}\n`, table(screen)]),
    '### Functions\n',
    'In expressions: conditions, and values that begin with `=`.\n',
    functions(),
    '### Built-in texts\n',
    'A flow puts its own words in their place under `texts: { <language>: { <key>: … } }`.\n',
    builtInTexts(),
  ].join('\n')
}

/** The document with the current reference. Throws if the document has no marks. */
export function withReference(document: string): string {
  const from = document.indexOf(REFERENCE_MARKS.from)
  const to = document.indexOf(REFERENCE_MARKS.to)
  if (from < 0 || to < from) throw new Error(`no lines '${REFERENCE_MARKS.from}' and '${REFERENCE_MARKS.to}'`)
  const head = document.slice(0, from + REFERENCE_MARKS.from.length)
  return `${head}\n\n${flowReference()}\n${document.slice(to)}`
}

/** The parts of a JSON Schema that are read here. */
interface Node {
  title?: string
  description?: string
  type?: string
  const?: unknown
  default?: unknown
  $ref?: string
  items?: Node
  anyOf?: Node[]
  properties?: Record<string, Node>
  required?: string[]
  additionalProperties?: Node
}

function table({ properties = {}, required = [] }: Node): string {
  const rows = Object.entries(properties).map(([key, node]) => {
    const needed = required.includes(key) ? 'needed' : defaultOf(node)
    return `| \`${key}\` | ${typeOf(node)} | ${needed} | ${cell(node.description ?? '')} |`
  })
  return ['| key | is | without it | what it does |', '|---|---|---|---|', ...rows, ''].join('\n')
}

function typeOf(node: Node): string {
  if (node.title === 'name') return 'name'
  if (node.title !== undefined) return cell(node.title)
  if (node.$ref !== undefined) return 'condition'
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``
  if (node.items) return `list of ${typeOf(node.items)}`
  const words: Record<string, string> = { integer: 'whole number', boolean: 'true or false', string: 'text' }
  return words[node.type ?? ''] ?? node.type ?? ''
}

function defaultOf({ default: value }: Node): string {
  const empty = value === undefined || JSON.stringify(value) === '[]' || JSON.stringify(value) === '{}'
  return empty ? '' : `\`${String(value)}\``
}

function functions(): string {
  const rows = Object.values(FUNCTIONS).map(({ form, does, gives }) => `| \`${form}\` | ${gives ?? 'any'} | ${does} |`)
  return ['| function | gives | what it does |', '|---|---|---|', ...rows, ''].join('\n')
}

function builtInTexts(): string {
  const languages = Object.keys(BUILT_IN) as (keyof typeof BUILT_IN)[]
  const rows = TEXT_KEYS.map((key) => `| \`${key}\` | ${languages.map((known) => BUILT_IN[known][key]).join(' | ')} |`)
  const heads = languages.map((known) => (UNREVIEWED.has(known) ? `${known} (needs a native speaker)` : known))
  return [`| key | ${heads.join(' | ')} |`, `|---|${languages.map(() => '---|').join('')}`, ...rows, ''].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
