/** docs/reference/SETTINGS.md: every setting, as in the schema. */
import { z } from 'zod'
import { settingsSchema } from '../../src/config/schema.ts'
import { reloadWayOf } from '../../src/daemon/reload/ways.ts'
import { code, generated, table } from './page.ts'

const HEAD = `# Settings

Every key of the settings file (\`connector.yaml\`), from the schema that the daemon reads it by. A key that is not here is an error.
\`ussd-connector config --config FILE\` prints the values in force and where each comes from;
\`ussd-connector config --schema\` writes a JSON Schema for editors. [OPERATIONS](../OPERATIONS.md) explains the most important ones.

\`[]\` is an entry of a list, \`NAME\` a name of your own. Any value can come from the environment:
\`redis.url\` is \`USSD_CONNECTOR_REDIS__URL\`.

\`a reload\` says how \`ussd-connector reload\` takes a change (\`restart\`: it does not): see [OPERATIONS](../OPERATIONS.md#what-a-reload-takes).
`

export interface SettingRow {
  key: string
  type: string
  /** The default as JSON; '' if there is none; `needed` if the file must have the key. */
  without: string
  meaning: string
}

interface Node {
  type?: string
  description?: string
  default?: unknown
  const?: unknown
  enum?: unknown[]
  items?: Node
  anyOf?: Node[]
  properties?: Record<string, Node>
  required?: string[]
  additionalProperties?: Node | boolean
}

/** Every key with a value of its own. Groups have a row if they have a description. */
export function settingRows(): SettingRow[] {
  const root = z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Node
  const rows = new Map<string, SettingRow>()
  inside(root, '', (row) => rows.set(row.key, rows.get(row.key) ?? row))
  return [...rows.values()]
}

function inside(node: Node, at: string, add: (row: SettingRow) => void): void {
  for (const [name, inner] of Object.entries(node.properties ?? {})) {
    const key = at === '' ? name : `${at}.${name}`
    const needed = node.required?.includes(name) ?? false
    add({ key, type: typeOf(inner), without: withoutIt(inner, needed), meaning: inner.description ?? '' })
    within(inner, key, add)
  }
  if (typeof node.additionalProperties === 'object') within(node.additionalProperties, `${at}.NAME`, add)
  for (const branch of node.anyOf ?? []) inside(branch, at, add)
}

/** What is below a key: the keys of a group, of each list entry, and of each way to write it. */
function within(node: Node, key: string, add: (row: SettingRow) => void): void {
  if (node.items) return inside(node.items, `${key}[]`, add)
  inside(node, key, add)
}

function typeOf(node: Node): string {
  if (node.enum) return node.enum.map((value) => code(String(value))).join(', ')
  if (node.const !== undefined) return code(String(node.const))
  if (node.anyOf) return node.anyOf.map(typeOf).join(' or ')
  if (node.items) return `list of ${typeOf(node.items)}`
  const words: Record<string, string> = {
    integer: 'whole number',
    boolean: 'true or false',
    string: 'text',
    object: 'group',
    null: '`null`',
  }
  return words[node.type ?? ''] ?? node.type ?? 'any'
}

function withoutIt(node: Node, needed: boolean): string {
  if (needed) return 'needed'
  const { default: value } = node
  if (value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)) return ''
  return code(JSON.stringify(value))
}

export function settingsPage(): string {
  const rows = settingRows()
  const groupOf = ({ key }: SettingRow) => /^\w+/.exec(key)![0]
  const sections = [...new Set(rows.map(groupOf))].flatMap((group) => [
    `## ${group}\n`,
    table(
      ['key', 'is', 'default', 'a reload', 'meaning'],
      rows
        .filter((row) => groupOf(row) === group)
        .map(({ key, type, without, meaning }) => [code(key), type, without, reloadWayOf(key)?.way ?? '', meaning]),
    ),
  ])
  return generated(HEAD, ...sections)
}
